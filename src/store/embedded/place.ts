import { randomBytes } from "node:crypto"
import { chmod, lstat, mkdir, realpath } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { SignalboxError } from "../../core/errors.ts"
import { errorCode } from "../system-error.ts"
import { serverAccount, type Account } from "./account.ts"
import { firstBarrier, openForGroup } from "./reach.ts"

/** Where a data directory's cluster is, and who runs its server. */
export interface Place {
  dataDir: string
  /** The real path of the cluster; nothing is there yet where `exists` is false. */
  cluster: string
  exists: boolean
  /** Path in the data directory that has to become a link to the cluster; undefined if it is the cluster. */
  link: string | undefined
  account: Account | undefined
}

/**
 * Finds the place of a data directory's cluster, making the directory where it is missing. A new
 * cluster goes to `home` if it would be out of reach for the server's user in the data directory.
 */
export async function findPlace(dataDirectory: string, home: string): Promise<Place> {
  const dataDir = await makeDataDirectory(resolve(dataDirectory))
  const path = join(dataDir, "postgres")
  const link = await lstat(path).catch(() => undefined)
  if (link === undefined) return newPlace(dataDir, path, home)
  const cluster = await realpath(path).catch((cause: unknown) => {
    throw new SignalboxError("configuration", `${path} is a link to a cluster that is gone`, { cause })
  })
  const account = await serverAccount(cluster)
  if (account !== undefined) await openWay(cluster, account)
  return { dataDir, cluster, exists: true, link: undefined, account }
}

async function newPlace(dataDir: string, path: string, home: string): Promise<Place> {
  const account = await serverAccount(path)
  const place = { dataDir, exists: false, account }
  if (account === undefined || (await canEnter(dataDir, account))) {
    return { ...place, cluster: path, link: undefined }
  }
  const folder = join(home, randomBytes(6).toString("hex"))
  try {
    if ((await mkdir(home, { recursive: true })) !== undefined) await chmod(home, 0o755)
    await mkdir(folder)
    await chmod(folder, 0o755)
    if (!(await canEnter(folder, account))) throw new Error(`${folder} is closed to ${account.name}`)
  } catch (cause) {
    throw new SignalboxError(
      "configuration",
      `the user ${account.name}, under whom PostgreSQL must run, can enter neither ${dataDir} nor ${home}: set SIGNALBOX_DATA_DIR to a folder it can enter, or DATABASE_URL`,
      { cause },
    )
  }
  return { ...place, cluster: join(folder, "postgres"), link: path }
}

async function canEnter(folder: string, account: Account): Promise<boolean> {
  const barrier = await firstBarrier(folder, account)
  if (barrier === undefined) return true
  // Only the last folder is ours to open; those above belong to somebody's wish for privacy.
  return barrier === folder && openForGroup(folder, account)
}

async function openWay(cluster: string, account: Account): Promise<void> {
  if (await canEnter(dirname(cluster), account)) return
  const barrier = await firstBarrier(dirname(cluster), account)
  throw new SignalboxError(
    "configuration",
    `the user ${account.name}, who owns the cluster ${cluster}, cannot enter ${barrier}: move the data directory (SIGNALBOX_DATA_DIR), or set DATABASE_URL`,
  )
}

async function makeDataDirectory(path: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (errorCode(error) !== "EEXIST") throw error
    })
    return await realpath(path)
  } catch (cause) {
    const reason = errorCode(cause)
    throw new SignalboxError(
      "configuration",
      `the data directory ${path} cannot be made (${reason}): set SIGNALBOX_DATA_DIR to a folder that can be written, or DATABASE_URL`,
      { cause },
    )
  }
}

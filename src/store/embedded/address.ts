import { createHash } from "node:crypto"
import { chown, lstat, mkdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SignalboxError } from "../../core/errors.ts"
import { errorCode } from "../system-error.ts"
import type { Account } from "./account.ts"
import { firstBarrier } from "./reach.ts"

/** Where the server listens: a socket in a folder that only its user can enter. */
export interface Address {
  socketDir: string
  port: number
}

// sun_path of sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
const maxSocketPath = 103

/**
 * The folder for the server's socket: the cluster itself, which is private already, or where its
 * path is too long for a socket, one below the system's temporary directory named by its hash.
 */
export async function socketDirectory(cluster: string, port: number, account?: Account): Promise<string> {
  if (fits(cluster, port)) return cluster
  const uid = account?.uid ?? process.getuid?.() ?? 0
  const hash = createHash("sha256").update(cluster).digest("hex").slice(0, 16)
  for (const base of new Set([tmpdir(), "/tmp"])) {
    const folder = join(base, `signalbox-${uid}-${hash}`)
    if (!fits(folder, port)) continue
    if (account !== undefined && (await firstBarrier(base, account)) !== undefined) continue
    if (await claimFolder(folder, uid, account)) return folder
  }
  throw new SignalboxError(
    "configuration",
    `the path ${cluster} is too long for a Unix socket, and no private folder could be made below ${tmpdir()}: set SIGNALBOX_DATA_DIR to a shorter path`,
  )
}

function fits(folder: string, port: number): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${port}`)) <= maxSocketPath
}

// Anyone may write to the temporary directory: a folder or link that another user has put there
// under our name must not be used.
async function claimFolder(folder: string, uid: number, account: Account | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) !== "EEXIST") return false
  }
  const found = await lstat(folder)
  const ours = found.uid === uid || found.uid === process.getuid?.()
  if (!found.isDirectory() || !ours || (found.mode & 0o077) !== 0) return false
  if (account !== undefined) await chown(folder, account.uid, account.gid)
  return true
}

/** The connection URL for a database of the server; works for libpq too. */
export function serverUrl(address: Address, user: string, password: string, database: string): string {
  const host = encodeURIComponent(address.socketDir)
  return `postgres://${user}:${password}@localhost:${address.port}/${database}?host=${host}&sslmode=disable`
}

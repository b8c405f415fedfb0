import { chmod, chown, stat } from "node:fs/promises"
import { dirname } from "node:path"
import type { Account } from "./account.ts"

/** The topmost folder on the way to `path`, itself included, that `account` may not enter; or undefined. */
export async function firstBarrier(path: string, account: Account): Promise<string | undefined> {
  const folders = [path]
  while (dirname(folders[0] ?? "/") !== folders[0]) folders.unshift(dirname(folders[0] ?? "/"))
  for (const folder of folders) if (!(await permits(folder, account, 0o1))) return folder
  return undefined
}

/** Whether `account` has the permission bits (4 read, 2 write, 1 enter or run) on `path`. */
export async function permits(path: string, account: Account, bits: number): Promise<boolean> {
  const { uid, gid, mode } = await stat(path)
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
  return ((mode >> shift) & bits) === bits
}

/**
 * Lets the account's group pass through a private folder of root's, and nobody else; answers whether
 * that was possible. A folder that root has given to a group already is left as it is.
 */
export async function openForGroup(folder: string, account: Account): Promise<boolean> {
  const { uid, gid, mode } = await stat(folder)
  if (uid !== 0 || (gid !== 0 && gid !== account.gid)) return false
  await chown(folder, uid, account.gid)
  await chmod(folder, (mode & 0o7777) | 0o010)
  return permits(folder, account, 0o1)
}

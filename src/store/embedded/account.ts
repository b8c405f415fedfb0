import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { SignalboxError } from "../../core/errors.ts"

/** The user that the server runs under. */
export interface Account {
  uid: number
  gid: number
  name: string
}

const preferred = ["postgres", "nobody"]

/**
 * Whom to run the server as: `undefined` for our own user. PostgreSQL refuses root, so root gets the
 * owner of an existing cluster, else the user `postgres`, else `nobody`.
 */
export async function serverAccount(cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const known = await passwd()
  const owner = await stat(join(cluster, "PG_VERSION")).catch(() => undefined)
  if (owner !== undefined) {
    const entry = known.find((account) => account.uid === owner.uid)
    if (owner.uid !== 0 && entry !== undefined) return { ...entry, gid: owner.gid }
    const name = known.find((account) => preferred.includes(account.name))?.name ?? "a user other than root"
    throw new SignalboxError(
      "configuration",
      `${cluster} belongs to ${owner.uid === 0 ? "root" : `the unknown user ${owner.uid}`}, whom PostgreSQL does not run as: give it to ${name} (chown -R), or set DATABASE_URL`,
    )
  }
  for (const name of preferred) {
    const entry = known.find((account) => account.name === name && account.uid !== 0)
    if (entry !== undefined) return entry
  }
  throw new SignalboxError(
    "configuration",
    "PostgreSQL does not run as root, and this system has neither a user postgres nor nobody: start signalbox as an ordinary user, or set DATABASE_URL",
  )
}

async function passwd(): Promise<Account[]> {
  const text = await readFile("/etc/passwd", "utf8").catch(() => "")
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":")
    if (name === undefined || uid === undefined || gid === undefined) return []
    // macOS writes nobody as -2; the kernel's number is the unsigned one.
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }]
  })
}

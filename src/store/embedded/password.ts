import { randomBytes } from "node:crypto"
import { link, open, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { errorCode } from "../system-error.ts"

/** The password of the data directory's server; made at the first call, in a file that we alone read. */
export async function clusterPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, "postgres.password")
  return (await read(path)) ?? (await create(path))
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim()
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined
    throw error
  }
}

async function create(path: string): Promise<string> {
  const password = randomBytes(24).toString("base64url")
  const draft = `${path}.${randomBytes(4).toString("hex")}`
  await writePrivate(draft, password)
  try {
    await link(draft, path) // whole or not at all, and never over another starter's
    return password
  } catch (error) {
    const other = await read(path)
    if (other === undefined) throw error
    return other
  } finally {
    await rm(draft, { force: true })
  }
}

/** Writes a file of mode 0600 through to the disk. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

import { randomBytes } from "node:crypto"
import { link, open, readFile, rm } from "node:fs/promises"
import { dirname } from "node:path"
import { errorCode } from "./system-error.ts"

/** The text of a file without blanks around it; undefined where there is no such file. */
export async function readPrivate(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim()
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined
    throw error
  }
}

/**
 * The text of a file that we alone read, made by `make` where there is none. Of several who make it at
 * once one wins, and all have the same answer; once it is answered it is on the disk.
 */
export async function keepPrivate(path: string, make: () => string): Promise<string> {
  return (await readPrivate(path)) ?? (await create(path, make()))
}

async function create(path: string, text: string): Promise<string> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`
  await writePrivate(draft, text)
  try {
    await link(draft, path) // whole or not at all, and never over another starter's
    await syncFolder(dirname(path))
    return text
  } catch (error) {
    const other = await readPrivate(path)
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

/** Makes a name in a folder outlive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { keepPrivate } from "../private-file.ts"

/** The password of the data directory's server; made at the first call, in a file that we alone read. */
export function clusterPassword(dataDir: string): Promise<string> {
  return keepPrivate(join(dataDir, "postgres.password"), () => randomBytes(24).toString("base64url"))
}

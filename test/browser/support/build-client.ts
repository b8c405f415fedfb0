import { execFile } from "node:child_process"
import { access } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("../../../", import.meta.url))

/** Builds what is published into `folder`, and answers where its client is: modules that a browser loads as they are. */
export async function buildClient(folder: string): Promise<string> {
  const compiler = join(root, "node_modules/typescript/bin/tsc")
  const args = [compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", folder]
  const client = join(folder, "client")
  try {
    await promisify(execFile)(process.execPath, args, { cwd: root })
  } catch (error) {
    // Whether all types hold is not for this test to say.
    await access(join(client, "index.js")).catch(() => {
      throw error
    })
  }
  return client
}

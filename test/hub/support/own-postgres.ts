import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { startEmbedded, type EmbeddedServer } from "../../../src/store/embedded/start-embedded.ts"

/** A PostgreSQL of a test's own, which it may stop and start; gone after the file. */
export interface OwnPostgres {
  /** The same over restarts. */
  url: string
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts one in a folder of its own. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "signalbox-own-"))
  await chmod(dataDir, 0o755) // the server may run as another user than root
  let server: EmbeddedServer | undefined
  const start = async () => {
    server = await startEmbedded({ dataDir })
  }
  const stop = async () => {
    await server?.stop()
    server = undefined
  }
  afterAll(async () => {
    await stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  await start()
  return { url: server?.url ?? "", start, stop }
}

import { onTestFinished } from "vitest"
import { silentLog } from "../../../src/core/log.ts"
import { createHub, type Hub } from "../../../src/hub.ts"
import { adminKey, type TestHub } from "../../support/hub.ts"

/** Starts a further node that serves streams from a hub's database, and has nothing of it in memory; ends with the test. */
export async function startStreamNode(
  { database }: Pick<TestHub, "database">,
  port: number = 0,
): Promise<{ url: string; stop: Hub["stop"] }> {
  const node = createHub({
    databaseUrl: database.url,
    port,
    host: "127.0.0.1",
    roles: ["stream"],
    adminKey,
    log: silentLog,
    env: {},
  })
  await node.start()
  onTestFinished(() => node.stop())
  return { url: node.url ?? "", stop: () => node.stop() }
}

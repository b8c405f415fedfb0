/** Child process of the stream benches: signalbox with the role `stream` alone. */
import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import { listen } from "../../src/api/http-server.ts"
import { createLog } from "../../src/core/log.ts"
import { openDatabase } from "../../src/store/database.ts"
import { createStreaming } from "../../src/streaming/streaming.ts"
import { announce } from "./child-server.ts"
import { memoryRoute } from "./memory-route.ts"

const database = openDatabase({ url: process.env["BENCH_DATABASE_URL"] ?? "" })
const streaming = createStreaming({ database, log: createLog("error") })
const app = new Hono<{ Bindings: HttpBindings }>()
app.route("/", memoryRoute())
app.route(
  "/",
  streaming.routes(() => ({ tenant: "default", keyId: "admin" })),
)
const server = await listen(app.fetch, { host: "127.0.0.1", port: 0, maxConnections: 20_000 })
streaming.start()

announce(server.port, async () => {
  const closed = server.close(2_000)
  await streaming.stop()
  await closed
  await database.close()
})

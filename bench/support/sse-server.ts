/** Child process of the SSE bench: signalbox with the role `stream` alone. */
import type { HttpBindings } from "@hono/node-server"
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { createLog } from "../../src/core/log.ts"
import { openDatabase } from "../../src/store/database.ts"
import { createStreaming } from "../../src/streaming/streaming.ts"
import { announce } from "./child-server.ts"
import { listen } from "./listen.ts"
import { memoryRoute } from "./memory-route.ts"

const database = openDatabase({ url: process.env["BENCH_DATABASE_URL"] ?? "" })
const streaming = createStreaming({ database, log: createLog("warn") })
const app = new Hono<{ Bindings: HttpBindings }>()
app.route("/", memoryRoute())
app.route(
  "/",
  streaming.routes(() => ({ tenant: "default", keyId: "admin" })),
)
const server = createAdaptorServer({ fetch: app.fetch })
streaming.start()

announce(await listen(server), async () => {
  server.close()
  await streaming.stop()
  await database.close()
})

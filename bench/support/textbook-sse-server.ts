/**
 * Child process of the SSE bench: live streams as one would write them first. Hono's `streamSSE`, with
 * one `writeSSE` for every client and event.
 */
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import type { SSEStreamingApi } from "hono/streaming"
import { announce } from "./child-server.ts"
import { listen } from "./listen.ts"
import { memoryRoute } from "./memory-route.ts"
import { followLog } from "./textbook-log.ts"
import { streamRoute } from "./textbook-routes.ts"

const streams = new Set<SSEStreamingApi>()
const unfollow = await followLog(process.env["BENCH_DATABASE_URL"] ?? "", (event) => {
  const message = { id: event.position, event: event.type, data: JSON.stringify(event) }
  for (const stream of streams) void stream.writeSSE(message)
})

const app = new Hono()
app.route("/", memoryRoute())
app.route("/", streamRoute(streams))
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  await unfollow()
})

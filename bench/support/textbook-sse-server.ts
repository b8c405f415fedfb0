/**
 * Child process of the SSE bench: live streams as one would write them first. LISTEN, one query for
 * what is new, and Hono's `streamSSE` with one `writeSSE` for every client and event.
 */
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { streamSSE, type SSEStreamingApi } from "hono/streaming"
import { Client } from "pg"
import { announce } from "./child-server.ts"
import { listen } from "./listen.ts"
import { memoryRoute } from "./memory-route.ts"

interface Row {
  position: string
  id: string
  type: string
  received_at: Date
  raw: Buffer
}

const client = new Client({ connectionString: process.env["BENCH_DATABASE_URL"] ?? "" })
const streams = new Set<SSEStreamingApi>()
let last = 0
let reading: Promise<void> | undefined

async function readNew(): Promise<void> {
  const { rows } = await client.query<Row>(
    `select l.position, e.id, e.type, e.received_at, e.raw from event_log l join events e on e.id = l.event_id
     where l.position > $1 order by l.position`,
    [last],
  )
  for (const { position, raw, ...event } of rows) {
    last = Number(position)
    const payload: unknown = JSON.parse(raw.toString())
    const message = { id: position, event: event.type, data: JSON.stringify({ ...event, position, payload }) }
    for (const stream of streams) void stream.writeSSE(message)
  }
}

client.on("notification", () => {
  reading = (reading ?? Promise.resolve()).then(readNew)
})
await client.connect()
await client.query("listen signalbox_log")

const app = new Hono()
app.route("/", memoryRoute())
app.get("/api/v1/events/stream", (c) =>
  streamSSE(c, async (stream) => {
    streams.add(stream)
    const { promise, resolve } = Promise.withResolvers<void>()
    stream.onAbort(() => {
      streams.delete(stream)
      resolve()
    })
    await stream.write(": hello\n\n")
    await promise
  }),
)
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  await client.end()
})

/**
 * Child process of the pipeline bench: the whole way as one would write it first. Hono, a signature
 * check, one INSERT and one `boss.send` a request; a pg-boss worker, woken by NOTIFY, that reads the
 * rows of its jobs; and Hono's `streamSSE` with one `writeSSE` for every client and event.
 */
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import type { SSEStreamingApi } from "hono/streaming"
import { Pool } from "pg"
import { PgBoss } from "pg-boss"
import { announce } from "./child-server.ts"
import { listen } from "./listen.ts"
import { createEvents, streamRoute, webhookRoute } from "./textbook-routes.ts"

interface Row {
  id: string
  delivery_id: string
  event: string
  payload: unknown
}

const connectionString = process.env["BENCH_DATABASE_URL"] ?? ""
const pool = new Pool({ connectionString })
const boss = new PgBoss({ connectionString, useListenNotify: true })
boss.on("error", console.error)
const streams = new Set<SSEStreamingApi>()

await createEvents(pool)
await boss.start()
await boss.createQueue("events", { notify: true })
await boss.work<{ id: string }>(
  "events",
  { batchSize: 50, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5, burstWhenBatchFull: true },
  async (jobs) => {
    const ids = jobs.map(({ data }) => data.id)
    const { rows } = await pool.query<Row>(
      "select id, delivery_id, event, payload from events where id = any($1) order by id",
      [ids],
    )
    for (const row of rows) {
      const message = { id: row.id, event: row.event, data: JSON.stringify(row) }
      for (const stream of streams) void stream.writeSSE(message)
    }
  },
)

const app = new Hono()
app.route(
  "/",
  webhookRoute(pool, (id) => boss.send("events", { id })),
)
app.route("/", streamRoute(streams))
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  await boss.stop({ graceful: false })
  await pool.end()
})

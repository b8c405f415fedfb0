/**
 * Child process of the pipeline bench: the whole way as one would write it first. Hono, a signature
 * check, one INSERT and one `boss.send` a request; a pg-boss worker, woken by NOTIFY, that reads the
 * rows of its jobs; and Hono's `streamSSE` with one `writeSSE` for every client and event.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { streamSSE, type SSEStreamingApi } from "hono/streaming"
import { Pool } from "pg"
import { PgBoss } from "pg-boss"
import { announce } from "./child-server.ts"
import { benchSecret } from "./github-requests.ts"
import { listen } from "./listen.ts"

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

await pool.query(`create table events (
  id bigint generated always as identity primary key,
  delivery_id text not null unique,
  event text not null,
  payload jsonb not null,
  received_at timestamptz not null default now())`)
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
app.post("/webhooks/github", async (c) => {
  const body = await c.req.text()
  const expected = `sha256=${createHmac("sha256", benchSecret).update(body).digest("hex")}`
  const given = c.req.header("x-hub-signature-256") ?? ""
  if (given.length !== expected.length || !timingSafeEqual(Buffer.from(given), Buffer.from(expected))) {
    return c.json({ error: "bad signature" }, 401)
  }
  const payload: unknown = JSON.parse(body)
  const { rows } = await pool.query<{ id: string }>(
    `insert into events (delivery_id, event, payload) values ($1, $2, $3)
     on conflict (delivery_id) do nothing returning id`,
    [c.req.header("x-github-delivery"), c.req.header("x-github-event"), JSON.stringify(payload)],
  )
  const id = rows[0]?.id
  if (id !== undefined) await boss.send("events", { id })
  return c.json({ id, duplicate: id === undefined }, 202)
})
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
  await boss.stop({ graceful: false })
  await pool.end()
})

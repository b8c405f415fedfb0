/**
 * Child process of the ingest bench: the server as one would write it first. Hono, a signature
 * check, one INSERT of jsonb a request through a pool, and one `boss.send` each.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { Pool } from "pg"
import { PgBoss } from "pg-boss"
import { announce } from "./child-server.ts"
import { benchSecret } from "./github-requests.ts"
import { listen } from "./listen.ts"

const connectionString = process.env["BENCH_DATABASE_URL"] ?? ""
const withJob = process.env["BENCH_JOB"] !== "none"
const pool = new Pool({ connectionString })
const boss = new PgBoss({ connectionString })
boss.on("error", console.error)

await pool.query(`create table events (
  id bigint generated always as identity primary key,
  delivery_id text not null unique,
  event text not null,
  payload jsonb not null,
  received_at timestamptz not null default now())`)
if (withJob) {
  await boss.start()
  await boss.createQueue("events")
}

const app = new Hono()
app.post("/webhooks/github", async (c) => {
  const body = await c.req.text()
  const expected = `sha256=${createHmac("sha256", benchSecret).update(body).digest("hex")}`
  const given = c.req.header("x-hub-signature-256") ?? ""
  if (given.length !== expected.length || !timingSafeEqual(Buffer.from(given), Buffer.from(expected))) {
    return c.json({ error: "bad signature" }, 401)
  }
  const event = c.req.header("x-github-event")
  const payload: unknown = JSON.parse(body)
  const { rows } = await pool.query<{ id: number }>(
    `insert into events (delivery_id, event, payload) values ($1, $2, $3)
     on conflict (delivery_id) do nothing returning id`,
    [c.req.header("x-github-delivery"), event, JSON.stringify(payload)],
  )
  const id = rows[0]?.id
  if (withJob && id !== undefined) await boss.send("events", { id })
  return c.json({ id, duplicate: id === undefined }, 202)
})
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  if (withJob) await boss.stop({ graceful: false })
  await pool.end()
})

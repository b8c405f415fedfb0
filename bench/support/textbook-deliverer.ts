/**
 * Child process of the delivery bench: deliveries as one would write them first. A job each in pg-boss,
 * `work()` with batches of 50, and for each job a request by undici and a row for the attempt.
 */
import { createHmac, createSecretKey } from "node:crypto"
import { Pool } from "pg"
import { PgBoss } from "pg-boss"
import { Pool as Connections } from "undici"
import { tellParent } from "./ask-child.ts"
import { deliveredBodies, deliverySecret, inFlight } from "./delivery-load.ts"
import { createEvents } from "./textbook-routes.ts"

/** What the bench asks of it, each answered by one message. */
export type TextbookRequest =
  | { ask: "start"; origin: string }
  /** Stores events, and a job for each. */
  | { ask: "fill"; count: number }
  /** Works them off, and answers when every attempt is in the database. */
  | { ask: "deliver"; count: number }
  | { ask: "stop" }

interface Job {
  eventId: string
}

const queue = "deliveries"
const connectionString = process.env["BENCH_DATABASE_URL"] ?? ""
const pool = new Pool({ connectionString })
const boss = new PgBoss({ connectionString })
boss.on("error", console.error)
const key = createSecretKey(deliverySecret.slice("whsec_".length), "base64")
let connections = new Connections("http://127.0.0.1")
let delivered = 0

async function start(origin: string): Promise<void> {
  await createEvents(pool)
  await pool.query(`create table attempts (
    id bigint generated always as identity primary key,
    event_id bigint not null,
    attempted_at timestamptz not null default now(),
    status integer not null,
    duration_ms integer not null)`)
  await boss.start()
  await boss.createQueue(queue)
  connections = new Connections(origin, { connections: inFlight })
}

async function fill(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 500) {
    const { rows } = await pool.query<{ id: string }>(
      `insert into events (delivery_id, event, payload)
       select gen_random_uuid(), 'push', body::jsonb from unnest($1::text[]) as body returning id`,
      [
        Array.from({ length: Math.min(500, left) }, (_, n) =>
          String(deliveredBodies[n % deliveredBodies.length]),
        ),
      ],
    )
    await boss.insert(
      queue,
      rows.map(({ id }) => ({ data: { eventId: id } })),
    )
  }
}

async function deliver(count: number): Promise<{ doneMs: number }> {
  delivered = 0
  const done = Promise.withResolvers<void>()
  const settings = { batchSize: 50, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  await boss.work<Job>(queue, settings, async (jobs) => {
    const ids = jobs.map(({ data }) => data.eventId)
    const { rows } = await pool.query<{ id: string; payload: unknown }>(
      "select id, payload from events where id = any($1)",
      [ids],
    )
    await Promise.all(rows.map(({ id, payload }) => attempt(id, payload)))
    if (delivered >= count) done.resolve()
  })
  await done.promise
  const doneMs = Number(process.hrtime.bigint()) / 1e6
  await boss.offWork(queue)
  return { doneMs }
}

async function attempt(id: string, payload: unknown): Promise<void> {
  const body = JSON.stringify(payload)
  const timestamp = Math.floor(Date.now() / 1_000)
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")
  const began = performance.now()
  const response = await connections.request({
    path: "/textbook",
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": `${timestamp}`,
      "webhook-signature": `v1,${signature}`,
    },
    body,
  })
  await response.body.dump()
  if (response.statusCode !== 204) throw new Error(`the receiver answered ${response.statusCode}`)
  await pool.query("insert into attempts (event_id, status, duration_ms) values ($1, $2, $3)", [
    id,
    response.statusCode,
    Math.round(performance.now() - began),
  ])
  delivered++
}

async function answer(request: TextbookRequest): Promise<object> {
  if (request.ask === "start") await start(request.origin)
  else if (request.ask === "fill") await fill(request.count)
  else if (request.ask === "deliver") return deliver(request.count)
  else {
    await boss.stop({ graceful: false })
    await pool.end()
    await connections.close()
  }
  return { done: true }
}

process.on("message", (request: TextbookRequest) => tellParent(answer(request)))
process.once("disconnect", () => process.exit())

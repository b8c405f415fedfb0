import { createHmac, timingSafeEqual } from "node:crypto"
import { Hono } from "hono"
import { streamSSE, type SSEStreamingApi } from "hono/streaming"
import type { Pool } from "pg"
import { benchSecret } from "./github-requests.ts"

/** Makes the table that `webhookRoute` fills. */
export async function createEvents(pool: Pool): Promise<void> {
  await pool.query(`create table events (
    id bigint generated always as identity primary key,
    delivery_id text not null unique,
    event text not null,
    payload jsonb not null,
    received_at timestamptz not null default now())`)
}

/** `POST /webhooks/github`: a signature check and one INSERT of jsonb; `enqueue` is told of what is new. */
export function webhookRoute(pool: Pool, enqueue: (id: string) => Promise<unknown>): Hono {
  return new Hono().post("/webhooks/github", async (c) => {
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
    if (id !== undefined) await enqueue(id)
    return c.json({ id, duplicate: id === undefined }, 202)
  })
}

/** `GET /api/v1/events/stream`: each client is among the streams for as long as it stays. */
export function streamRoute(streams: Set<SSEStreamingApi>): Hono {
  return new Hono().get("/api/v1/events/stream", (c) =>
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
}

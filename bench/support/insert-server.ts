/**
 * Child process of the ingest bench: one insert a request, as well as that can be done. The same HTTP
 * stack as ours; the body goes as it came into a `bytea`, by a prepared statement; no key table, no
 * job. What is left to differ is that nothing is gathered.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { Pool } from "pg"
import { announce } from "./child-server.ts"
import { benchSecret } from "./github-requests.ts"
import { listen } from "./listen.ts"

const pool = new Pool({ connectionString: process.env["BENCH_DATABASE_URL"] ?? "" })

await pool.query(`create table events (
  id bigint generated always as identity primary key,
  delivery_id text not null unique,
  event text not null,
  raw bytea not null,
  received_at timestamptz not null default now())`)
// As ours, where the server was built with it.
await pool.query("alter table events alter column raw set compression lz4").catch(() => {
  return pool.query("alter table events alter column raw set storage external")
})

const app = new Hono()
app.post("/webhooks/github", async (c) => {
  const body = Buffer.from(await c.req.arrayBuffer())
  const expected = createHmac("sha256", benchSecret).update(body).digest()
  const given = Buffer.from((c.req.header("x-hub-signature-256") ?? "").slice("sha256=".length), "hex")
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return c.json({ error: "bad signature" }, 401)
  }
  JSON.parse(body.toString())
  const { rows } = await pool.query<{ id: string }>({
    name: "insert",
    text: `insert into events (delivery_id, event, raw) values ($1, $2, $3)
      on conflict (delivery_id) do nothing returning id`,
    values: [c.req.header("x-github-delivery"), c.req.header("x-github-event"), body],
  })
  const id = rows[0]?.id
  return c.json({ id, duplicate: id === undefined }, 202)
})
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  await pool.end()
})

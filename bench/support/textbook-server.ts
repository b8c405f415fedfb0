/**
 * Child process of the ingest bench: the server as one would write it first. Hono, a signature
 * check, one INSERT of jsonb a request through a pool, and one `boss.send` each.
 */
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { Pool } from "pg"
import { PgBoss } from "pg-boss"
import { announce } from "./child-server.ts"
import { listen } from "./listen.ts"
import { createEvents, webhookRoute } from "./textbook-routes.ts"

const connectionString = process.env["BENCH_DATABASE_URL"] ?? ""
const withJob = process.env["BENCH_JOB"] !== "none"
const pool = new Pool({ connectionString })
const boss = new PgBoss({ connectionString })
boss.on("error", console.error)

await createEvents(pool)
if (withJob) {
  await boss.start()
  await boss.createQueue("events")
}

const app = new Hono()
app.route(
  "/",
  webhookRoute(pool, async (id) => {
    if (withJob) await boss.send("events", { id })
  }),
)
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  if (withJob) await boss.stop({ graceful: false })
  await pool.end()
})

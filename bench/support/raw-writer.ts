/**
 * Child process of the ingest bench: what PostgreSQL can do with our rows. No HTTP, no signature: events
 * made beforehand, in batches as large as ours can be, on as many connections as ours has. With
 * `BENCH_JOB` set each batch is written just as ours writes it, with keys and jobs in one transaction;
 * without, it is one INSERT of the event rows and nothing else.
 */
import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { createLog } from "../../src/core/log.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { eventOf, messageOf } from "../../src/ingest/delivery.ts"
import { writeBatch } from "../../src/ingest/write-batch.ts"
import { github } from "../../src/platforms/github/index.ts"
import { installQueue } from "../../src/queue/install.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { createPool } from "../../src/store/database.ts"
import { insertEvents, type NewEvent } from "../../src/store/events.ts"
import { migrate } from "../../src/store/migrate.ts"
import { tellParent } from "./ask-child.ts"
import { payloadsOf, profileNames, type Payload } from "./payload-profiles.ts"

export interface RawRequest {
  leadMs: number
  durationMs: number
}

export interface RawReport {
  /** Rows committed a second, within `durationMs`. */
  perSecond: number
  /** Rows committed in all. */
  accepted: number
}

// As the batcher has them.
const connections = 2
const maxEvents = 50
const maxBytes = 4 << 20

const url = process.env["BENCH_DATABASE_URL"] ?? ""
const profile = profileNames.find((name) => name === process.env["BENCH_PROFILE"]) ?? "octokit"
const withJob = process.env["BENCH_JOB"] !== "none"

await migrate(url)
await installQueue(url)
const queue = createQueue({ url, log: createLog("warn") })
await queue.start()
const pool = createPool(url, { role: "signalbox_worker", max: connections, pipeline: true })
const templates = payloadsOf(profile).map(templateOf)
let next = 0

function templateOf({ event, body }: Payload): NewEvent {
  const headers = {
    "x-github-event": event,
    "x-github-hook-id": "512345678",
    "x-github-delivery": randomUUID(),
  }
  const delivery = {
    platform: github,
    tenant: "default",
    source: "default",
    headers,
    contentType: "application/json",
    body,
    receivedAt: new Date(),
  }
  return eventOf(delivery, messageOf(delivery))
}

function takeBatch(): NewEvent[] {
  const batch: NewEvent[] = []
  const receivedAt = new Date()
  for (let bytes = 0; batch.length < maxEvents; next++) {
    const template = templates[next % templates.length]
    if (template === undefined) throw new Error("no payloads")
    bytes += template.raw.length
    if (batch.length > 0 && bytes > maxBytes) break
    const id = uuidv7(receivedAt.getTime())
    const state = template.state && `${template.state}:${id}` // of an event of its own
    batch.push({ ...template, id, correlationId: id, deliveryId: randomUUID(), receivedAt, state })
  }
  return batch
}

async function insertRows(batch: readonly NewEvent[]): Promise<void> {
  const client = await pool.connect()
  await insertEvents(client, batch)
  client.release()
}

async function measure({ leadMs, durationMs }: RawRequest): Promise<RawReport> {
  const report: RawReport = { perSecond: 0, accepted: 0 }
  const phase = { over: false }
  const loops = Array.from({ length: connections }, async () => {
    while (!phase.over) {
      const batch = takeBatch()
      if (withJob) await writeBatch(pool, queue.jobStatements, batch)
      else await insertRows(batch)
      report.accepted += batch.length
    }
  })
  await sleep(leadMs)
  const before = report.accepted
  const startedAt = performance.now()
  await sleep(durationMs)
  report.perSecond = ((report.accepted - before) * 1_000) / (performance.now() - startedAt)
  phase.over = true
  await Promise.all(loops)
  return report
}

process.on("message", (request: RawRequest) => tellParent(measure(request)))
process.once("disconnect", () => process.exit())
process.send?.({ ready: true })

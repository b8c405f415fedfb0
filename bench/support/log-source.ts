import { createHash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import type { StoredEvent } from "../../src/core/envelope.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { appendToLog, logRow } from "../../src/store/append-log.ts"
import { transaction } from "../../src/store/database.ts"
import { insertEvents, type NewEvent } from "../../src/store/events.ts"

/** When events are due: number n at `startMs + n * intervalMs` (CLOCK_MONOTONIC, milliseconds). */
export interface Schedule {
  startMs: number
  intervalMs: number
  events: number
}

const atMost = 50

/**
 * Logs events at their due times, whether or not the ones before have come through, as processing does: what
 * is due when a commit ends goes into the next one together, in order. Resolves with the last commit. Its
 * pool should be pipelining.
 */
export async function logOnSchedule(
  pool: pg.Pool,
  { startMs, intervalMs, events }: Schedule,
  body: (n: number) => Buffer,
): Promise<void> {
  let next = 0
  while (next < events) {
    const waitMs = startMs + next * intervalMs - nowMs()
    if (waitMs > 0.3) await sleep(waitMs)
    const due = Math.floor((nowMs() - startMs) / intervalMs) + 1
    const count = Math.max(1, Math.min(due - next, events - next, atMost))
    const first = next
    await log(
      pool,
      Array.from({ length: count }, (_, index) => eventOf(body(first + index))),
    )
    next += count
  }
}

/** CLOCK_MONOTONIC, the same in every process of the machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

async function log(pool: pg.Pool, events: readonly (StoredEvent & NewEvent)[]): Promise<void> {
  await transaction(pool, async (db) => {
    await Promise.all([insertEvents(db, events), appendToLog(db, events.map(logRow), [])])
  })
}

function eventOf(raw: Buffer): StoredEvent & NewEvent {
  const id = uuidv7()
  const now = new Date()
  return {
    id,
    tenant: "default",
    platform: "custom",
    source: "bench",
    type: "bench.thing.happened",
    name: "thing",
    deliveryId: id,
    priority: "normal",
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: now,
    receivedAt: now,
    correlationId: id,
    causationId: null,
    backfilled: false,
    headers: {},
    contentType: "application/json",
    bodyHash: createHash("sha256").update(raw).digest(),
    raw,
  }
}

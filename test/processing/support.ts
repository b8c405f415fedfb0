import { createHash } from "node:crypto"
import { onTestFinished } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import type { Correlate } from "../../src/core/correlate.ts"
import type { Priority, Reference } from "../../src/core/envelope.ts"
import { fieldsOf } from "../../src/core/fields.ts"
import { silentLog } from "../../src/core/log.ts"
import { definePlatform, type Platform } from "../../src/core/platform.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { createProcessor, type Processor, type ProcessorOptions } from "../../src/processing/processor.ts"
import { createQueue, type Queue } from "../../src/queue/queue.ts"
import { transaction, type Database } from "../../src/store/database.ts"
import { insertEvents, type NewEvent } from "../../src/store/events.ts"

/**
 * A platform that does as its payload says: `throw` makes it throw, `kill` makes it end its process,
 * `number` goes into a bigint column whatever it is, `mentions` become references.
 */
export const obedient: Platform = definePlatform({
  name: "custom",
  secretVariable: null,
  acceptedStatus: 202,
  contentTypes: [],
  keptHeaders: [],
  detail: { table: "github_events", columns: ["event_name", "number", "state"] },
  verify: () => ({ ok: true, secretId: "test" }),
  identify: () => ({ key: uuidv7(), name: "test", type: "test.thing.happened", priority: "normal" }),
  normalize({ payload, receivedAt }) {
    const { throw: message, kill, number, title, mentions, state } = fieldsOf(payload)
    if (typeof message === "string") throw new Error(message)
    if (kill === true) process.kill(process.pid, "SIGKILL")
    return {
      type: "test.thing.happened",
      actor: { id: "7", name: "seven", bot: false },
      entity: typeof title === "string" ? `test:thing:${title}` : null,
      title: typeof title === "string" ? title : null,
      url: null,
      occurredAt: receivedAt,
      detail: { event_name: "test", number: number ?? null, state: state ?? null },
      references: Array.isArray(mentions) ? mentions.map(mention) : [],
      texts: [],
    }
  },
})

function mention(entity: unknown): Reference {
  return { entity: String(entity), relation: "mentions", evidence: { field: "body", text: String(entity) } }
}

/** Every reference becomes a strong link from the event's entity. */
export const linkAll: Correlate = (event, normalized) => ({
  references: normalized.references,
  links: normalized.references.map((reference) => ({
    from: event.entity ?? "",
    to: reference.entity,
    relation: "mentions",
    rule: "test",
    ruleVersion: 1,
    strength: "strong",
    confidence: 1,
    evidence: reference.evidence,
  })),
})

/** An event as ingest would write it. */
export function newEvent(payload: unknown, fields: Partial<NewEvent> = {}): NewEvent {
  const raw = Buffer.from(JSON.stringify(payload))
  const id = uuidv7()
  return {
    id,
    tenant: "default",
    platform: "custom",
    source: "default",
    type: "test.thing.received",
    name: "test",
    deliveryId: id,
    priority: "normal",
    receivedAt: new Date(),
    correlationId: id,
    causationId: null,
    headers: {},
    contentType: "application/json",
    raw,
    bodyHash: createHash("sha256").update(raw).digest(),
    ...fields,
  }
}

/** Stores events and enqueues them, as one job a priority, in one transaction. */
export async function submit(
  database: Database,
  queue: Queue,
  events: readonly NewEvent[],
): Promise<string[]> {
  await transaction(database.work, async (db) => {
    await insertEvents(db, events)
    await queue.enqueue(db, jobsOf(events))
  })
  return events.map(({ id }) => id)
}

function jobsOf(events: readonly NewEvent[]) {
  const byPriority = new Map<Priority, string[]>()
  for (const { priority, id } of events) byPriority.set(priority, [...(byPriority.get(priority) ?? []), id])
  return [...byPriority].map(([priority, eventIds]) => ({ priority, eventIds }))
}

/** A started queue, stopped after the test. */
export async function startQueue(database: Database): Promise<Queue> {
  const queue = createQueue({ url: database.url, log: silentLog })
  onTestFinished(() => queue.stop())
  await queue.start()
  return queue
}

/** A started processor on a queue of its own, both stopped after the test. */
export async function startProcessor(
  database: Database,
  options: Partial<ProcessorOptions> = {},
): Promise<{ processor: Processor; queue: Queue }> {
  const queue = options.queue ?? (await startQueue(database))
  const processor = createProcessor({
    database,
    queue,
    platforms: [obedient],
    correlate: linkAll,
    clock: systemClock,
    log: silentLog,
    ...options,
  })
  onTestFinished(() => processor.stop())
  await processor.start()
  return { processor, queue }
}

/** Waits until `condition` holds; fails after 20 s. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const start = Date.now(); Date.now() - start < 20_000;) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error("it did not come to pass within 20 s")
}

/** Waits until every event of these is in the log, and answers their ids in log order. */
export async function untilLogged(database: Database, ids: readonly string[]): Promise<string[]> {
  let logged: string[] = []
  await until(async () => {
    const { rows } = await database.work.query<{ event_id: string }>(
      "select event_id from event_log where event_id = any($1::uuid[]) order by position",
      [ids],
    )
    logged = rows.map(({ event_id }) => event_id)
    return logged.length === ids.length
  })
  return logged
}

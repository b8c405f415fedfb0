import { fork, type ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import type pg from "pg"
import { onTestFinished } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import type { Priority } from "../../src/core/envelope.ts"
import { silentLog } from "../../src/core/log.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { createProcessor, type Processor, type ProcessorOptions } from "../../src/processing/processor.ts"
import { createQueue, type Queue } from "../../src/queue/queue.ts"
import { createPool, transaction, type Database } from "../../src/store/database.ts"
import { insertEvents, type NewEvent } from "../../src/store/events.ts"
import { linkAll, obedient } from "./obedient.ts"

/** An event as ingest would write it; its body is the payload in JSON, unless `fields` has one. */
export function newEvent(payload: unknown, fields: Partial<NewEvent> = {}): NewEvent {
  const raw = fields.raw ?? Buffer.from(JSON.stringify(payload))
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

/** A connection as the owner, who sees and ends all sessions; closed after the test. */
export function asOwner(database: Database): pg.Pool {
  const owner = createPool(database.url, { max: 1 })
  onTestFinished(() => owner.end())
  return owner
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

/** A started processor in a process of its own, killed after the test at the latest. */
export async function startChild(database: Database): Promise<ChildProcess> {
  const child = fork(new URL("processor-child.ts", import.meta.url), {
    env: { ...process.env, DATABASE_URL: database.url },
    execArgv: [],
  })
  onTestFinished(() => {
    child.kill("SIGKILL")
  })
  await Promise.race([once(child, "message"), once(child, "exit")])
  return child
}

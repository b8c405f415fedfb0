import { createConsumers, type Consumers } from "./consumers/create-consumers.ts"
import type { ConsumerDefinition } from "./consumers/definition.ts"
import type { Clock } from "./core/clock.ts"
import { SignalboxError } from "./core/errors.ts"
import type { Log } from "./core/log.ts"
import type { EventMaps } from "./event-maps.ts"
import type { Handlers } from "./handlers/create-handlers.ts"
import type { SubmitEvent } from "./handlers/submit-caused.ts"
import type { Ingest } from "./ingest/ingest.ts"
import type { Database } from "./store/database.ts"
import { readLogPage } from "./store/log-pages.ts"
import { judgePlace } from "./store/log-publications.ts"
import { readWantedLog } from "./store/wanted-log.ts"
import type { Feed } from "./streaming/feed.ts"
import { recentStretch } from "./streaming/recent-stretch.ts"

export interface StartHandlersOptions {
  handlers: Handlers<EventMaps>
  database: Database
  ingest: Ingest
  feed: Feed
  /** What the hub itself does at events, besides the user's handlers. */
  actions: readonly ConsumerDefinition[]
  clock: Clock
  log: Log
}

/** Bytes of bodies in one read of the log; a handler that lags holds so much in memory. */
const readBytes = 1 << 20

/** Starts the consumers of a process with its handlers and callbacks on them. */
export async function startHandlers(
  stack: AsyncDisposableStack,
  { handlers, database, ingest, feed, actions, clock, log }: StartHandlersOptions,
): Promise<Consumers> {
  const consumers = createConsumers({
    database,
    read: async (after) => recentStretch(feed, after) ?? (await readLogPage(database.work, after, readBytes)),
    readWanted: (after, mayWant) => readWantedLog(database.work, after, mayWant, readBytes),
    holds: async (place) => (await judgePlace(database.work, place)) !== "other",
    onNews: (listener) => feed.subscribe(listener),
    clock,
    log,
  })
  stack.defer(() => consumers.stop())
  await handlers.attach({ consumers, db: database.work, submit: submitTo(ingest), log })
  for (const action of actions) consumers.add(action)
  await consumers.start()
  return consumers
}

function submitTo(ingest: Ingest): SubmitEvent {
  return async (event, { tenant, idempotencyKey }) => {
    const { eventId, duplicate, conflict } = await ingest.submit({
      platform: "custom",
      tenant,
      source: "handlers",
      body: Buffer.from(JSON.stringify(event)),
      contentType: "application/json",
      headers: { "idempotency-key": idempotencyKey },
    })
    if (conflict) {
      throw new SignalboxError("conflict", `event ${eventId} has the same key and another body`)
    }
    return { eventId, duplicate }
  }
}

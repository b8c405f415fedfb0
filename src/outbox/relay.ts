import { DatabaseError } from "pg"
import type pg from "pg"
import { createStanding, type ComponentState } from "../core/component.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { cleanText } from "../core/text.ts"
import { createPool, transaction, type Database, type Db } from "../store/database.ts"
import { insertDeadLetters } from "../store/dead-letters.ts"
import { failureOf } from "../store/failure.ts"
import {
  failOutbox,
  finishOutbox,
  outboxChannel,
  purgeOutbox,
  takeOutbox,
  takeOutboxTurn,
  type WaitingEntry,
} from "../store/outbox.ts"

/**
 * Takes a custom event in; resolves once it is committed, and again to the same for the same key.
 * `conflict` says that the key was there before with another body, and that this one was not taken in.
 */
export type SubmitPublished = (submission: {
  platform: "custom"
  tenant: string
  source: "outbox"
  body: Buffer
  contentType: "application/json"
  headers: Readonly<Record<string, string>>
}) => Promise<{ conflict: boolean }>

export interface RelayOptions {
  database: Pick<Database, "url">
  submit: SubmitPublished
  log: Log
}

/** Hands over what was published, for as long as it is started; of several, one at a time. */
export interface Relay {
  state(): ComponentState
  start(): Promise<void>
  stop(): Promise<void>
}

const batch = 100
const batchBytes = 8 * 2 ** 20
const shortestMs = 250
const longestMs = 2_000
const maxAttempts = 12
/** The server takes the turn from a process that was held still in the midst of one. */
const longestTurnMs = 60_000
const keptHours = 24
const purgeEveryMs = 60_000
const purgeBatch = 1_000

/**
 * Makes the relay. Rows are held while their events are taken in, and marked in the same transaction;
 * whatever dies in between, the rows are handed over again under the keys they had, and taken in once.
 */
export function createRelay({ database, submit, log }: RelayOptions): Relay {
  const pool = createPool(database.url, {
    role: "signalbox_worker",
    max: 2,
    queryTimeoutMs: 30_000,
    settings: { idle_in_transaction_session_timeout: String(longestTurnMs) },
  })
  const stopping = new AbortController()
  const standing = createStanding("what was published cannot be read or taken in, and is tried again")
  let wake: (() => void) | undefined
  let listener: pg.PoolClient | undefined
  let running: Promise<void> | undefined
  let stopped: Promise<void> | undefined

  async function run(): Promise<void> {
    let waitMs = shortestMs
    let purgeAt = 0
    while (!stopping.signal.aborted) {
      const woken = wakeAfter()
      let hadMore = false
      let isAway = false
      let hasOld = false
      try {
        await listen()
        const { taken, away } = await handOver()
        hadMore = taken > 0
        isAway = away > 0
        if (isAway) standing.ill()
        else standing.well()
        if (performance.now() >= purgeAt) {
          // After a full batch there is more: the next one is for the next round, with what is due by then.
          hasOld = (await purgeOutbox(pool, keptHours, purgeBatch)) === purgeBatch
          if (!hasOld) purgeAt = performance.now() + purgeEveryMs
        }
      } catch (error) {
        standing.ill()
        log.warn({ err: error }, "the outbox could not be read and is tried again")
      }
      waitMs = hasOld || (hadMore && !isAway) ? shortestMs : Math.min(2 * waitMs, longestMs)
      if (!hadMore || isAway) await woken(waitMs)
    }
    const last = listener
    listener = undefined
    last?.release(true)
  }

  /** Waits from now on for a notification; the function it answers waits for one, or for so long. */
  function wakeAfter(): (ms: number) => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    return async (ms) => {
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
    }
  }

  async function listen(): Promise<void> {
    if (listener !== undefined) return
    const client = await pool.connect()
    const lose = () => {
      if (listener !== client) return
      listener = undefined
      client.release(true)
    }
    client.on("error", lose)
    client.on("end", lose)
    client.on("notification", () => wake?.())
    listener = client
    await client.query(`listen ${outboxChannel}`)
  }

  /** Hands over rows that are due; `away` of them found no way in for now and stay as they were. */
  function handOver(): Promise<{ taken: number; away: number }> {
    return transaction(pool, async (db) => {
      if (!(await takeOutboxTurn(db))) return { taken: 0, away: 0 }
      const entries = await takeOutbox(db, batch, batchBytes)
      const outcomes = await Promise.allSettled(entries.map(submitEntry))
      const done: number[] = []
      let away = 0
      for (const [index, entry] of entries.entries()) {
        const outcome = outcomes[index]
        if (outcome?.status === "fulfilled") {
          done.push(entry.id)
        } else if (isForNow(outcome?.reason)) {
          if (away++ === 0) log.warn({ err: outcome?.reason }, "what was published waits for a way in")
        } else {
          await recordFailure(db, entry, outcome?.reason)
        }
      }
      if (done.length > 0) await finishOutbox(db, done)
      return { taken: entries.length, away }
    })
  }

  async function submitEntry(entry: WaitingEntry): Promise<void> {
    const { conflict } = await submit(submissionOf(entry))
    if (!conflict) return
    const message = `an event with the key ${entry.eventId} and another body was taken in before; this one was not`
    throw new SignalboxError("conflict", message)
  }

  async function stop(): Promise<void> {
    stopping.abort()
    wake?.()
    await running
    await pool.end()
  }

  return {
    start() {
      running ??= run()
      return Promise.resolve()
    },
    stop: () => (stopped ??= stop()),
    state: standing.state,
  }
}

function submissionOf({ eventId, tenant, body }: WaitingEntry): Parameters<SubmitPublished>[0] {
  return {
    platform: "custom",
    tenant,
    source: "outbox",
    body: Buffer.from(body),
    contentType: "application/json",
    headers: { "idempotency-key": eventId },
  }
}

/** Whether no row is to blame: the database is away, or there is more to take in than fits. */
function isForNow(error: unknown): boolean {
  if (error instanceof SignalboxError) return error.retryable
  return error instanceof DatabaseError && failureOf(error) === "away"
}

async function recordFailure(db: Db, entry: WaitingEntry, error: unknown): Promise<void> {
  const isRefused = error instanceof SignalboxError && !error.retryable && error.status < 500
  const isFinal = isRefused || entry.attempts + 1 >= maxAttempts
  const text = cleanText(error instanceof Error ? error.message : String(error), 2_000)
  await failOutbox(db, entry.id, text, isFinal)
  if (!isFinal) return
  await insertDeadLetters(db, [
    {
      tenant: entry.tenant,
      kind: "outbox",
      eventId: entry.eventId,
      subscriptionId: null,
      attempts: entry.attempts + 1,
      errorCode: error instanceof SignalboxError ? error.code : "submit_failed",
      error: text,
    },
  ])
}

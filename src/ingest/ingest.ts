import type { IncomingMessage } from "node:http"
import type { Hono } from "hono"
import type { Pool } from "pg"
import { systemClock, type Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { Platform } from "../core/platform.ts"
import { createPool } from "../store/database.ts"
import { writeRefusals } from "../store/refusals.ts"
import type { JobStatements } from "../store/enqueue.ts"
import { answerBy } from "./answer-by.ts"
import { createBatcher, shuttingDown } from "./batcher.ts"
import { createByteBudget } from "./byte-budget.ts"
import { eventOf, messageOf, type Delivery, type Lineage } from "./delivery.ts"
import { createPersist } from "./persist-batch.ts"
import type { BodyLimits } from "./read-body.ts"
import { receiveBody } from "./receive-body.ts"
import { createRefusalRecorder } from "./refusals.ts"
import { createWebhookRoutes, type IngestSources, type NodeEnv } from "./routes.ts"
import { writeBatch, type Receipt } from "./write-batch.ts"

export interface IngestOptions {
  databaseUrl: string
  platforms: readonly Platform[]
  sources: IngestSources
  jobStatements: JobStatements
  log: Log
  clock?: Clock
  /** Bytes of one body (25 MiB, what GitHub sends at most). */
  maxBodyBytes?: number
  /** Bytes of all bodies held in memory at the same time (128 MiB). */
  maxWaitingBytes?: number
  /** Milliseconds for a body to arrive (30 s). */
  bodyTimeoutMs?: number
  /** Milliseconds after which a connection whose server does not answer is given up (6 s). */
  answerTimeoutMs?: number
  /** Batches written at the same time, each on a connection of its own (2). */
  inFlight?: number
}

/** An event that comes from an authenticated caller or from this process, and carries no signature. */
export interface Submission extends Lineage {
  platform: string
  tenant: string
  source: string
  body: Buffer
  contentType: string
  /** Lower-case names; those that the platform does not keep are left aside. */
  headers?: Readonly<Record<string, string>>
  /** Which of the platform's kinds of sender the source is configured as. */
  sender?: string | undefined
  /** Made of the provider's own record (see `Recovered`), not sent by it. */
  backfilled?: boolean | undefined
}

/** The way in. */
export interface Ingest {
  /** The webhook routes, for the app to mount; what they throw is the app's to answer. */
  routes: Hono<NodeEnv>
  /** Stores an event without verification; resolves once it is committed. Throws as the routes do. */
  submit(submission: Submission): Promise<Receipt>
  /** Submits the body of a request, which is read within the limits of the webhooks. Throws as they do. */
  submitRequest(incoming: IncomingMessage, submission: Omit<Submission, "body">): Promise<Receipt>
  /** Refuses what is new with 503, writes what waits, and ends the connections. Idempotent. */
  close(): Promise<void>
}

const mebibyte = 1024 * 1024

/** Opens the way in, on database connections of its own, which no other work can keep busy. */
export function createIngest(options: IngestOptions): Ingest {
  const { databaseUrl, platforms, sources, jobStatements, log, clock = systemClock } = options
  const { maxBodyBytes = 25 * mebibyte, maxWaitingBytes = 128 * mebibyte, inFlight = 2 } = options
  const { answerTimeoutMs = 6_000 } = options
  const pool = openPool(databaseUrl, inFlight, answerTimeoutMs, answerTimeoutMs / 4)
  const poolForOne = openPool(databaseUrl, 1, answerTimeoutMs, briefLockMs)
  const budget = createByteBudget(maxWaitingBytes)
  const limits: BodyLimits = {
    maxBytes: maxBodyBytes,
    timeoutMs: options.bodyTimeoutMs ?? 30_000,
    budget,
  }
  const batcher = createBatcher({
    persist: createPersist({
      write: (events, again, alone) => writeBatch(alone ? poolForOne : pool, jobStatements, events, again),
      log,
    }),
    inFlight,
  })
  const notes = createPool(databaseUrl, {
    role: "signalbox_worker",
    max: 1,
    name: "receipts",
    queryTimeoutMs: answerTimeoutMs,
  })
  const refusals = createRefusalRecorder({ write: (rows) => writeRefusals(notes, rows), log })
  let closed: Promise<void> | undefined

  const routes = createWebhookRoutes({
    platforms,
    sources,
    batcher,
    limits,
    clock,
    refusals,
    closing: () => closed !== undefined,
  })

  async function submit(submission: Submission): Promise<Receipt> {
    const { body } = submission
    if (body.length > maxBodyBytes) {
      throw new SignalboxError("too_large", `the body is larger than ${maxBodyBytes} bytes`)
    }
    budget.take(body.length)
    try {
      return await add(submission, performance.now())
    } finally {
      budget.give(body.length)
    }
  }

  async function submitRequest(
    incoming: IncomingMessage,
    submission: Omit<Submission, "body">,
  ): Promise<Receipt> {
    if (closed !== undefined) throw shuttingDown()
    const arrivedAt = performance.now()
    const { body, release } = await receiveBody(incoming, limits)
    try {
      return await add({ ...submission, body }, arrivedAt)
    } finally {
      release()
    }
  }

  /** Takes in what the budget counts already. */
  async function add(submission: Submission, arrivedAt: number): Promise<Receipt> {
    if (closed !== undefined) throw shuttingDown()
    const platform = platforms.find(({ name }) => name === submission.platform)
    if (platform === undefined) throw new SignalboxError("unknown_platform", "there is no such platform")
    const { tenant, source, body, contentType, headers = {}, sender, backfilled } = submission
    const receivedAt = clock()
    const delivery: Delivery = {
      platform,
      tenant,
      source,
      headers,
      contentType,
      body,
      receivedAt,
      sender,
      backfilled,
    }
    return batcher.add(eventOf(delivery, messageOf(delivery), submission), answerBy(platform, arrivedAt))
  }

  async function close(): Promise<void> {
    await batcher.close()
    await refusals.close()
    await Promise.all([pool.end(), poolForOne.end(), notes.end()])
  }

  return {
    routes,
    submit,
    submitRequest,
    close() {
      return (closed ??= close())
    },
  }
}

/** What met a lock is tried alone, in turn with others like it: nobody waits long for another's lock. */
const briefLockMs = 100

/**
 * Connections of which none is stuck for ever: a statement that waits for a lock ends first, then one
 * that takes too long, then the connection, and last a session of ours whose process stands still in the
 * middle of a transaction.
 */
function openPool(url: string, max: number, answerTimeoutMs: number, lockMs: number): Pool {
  return createPool(url, {
    role: "signalbox_worker",
    max,
    pipeline: true,
    queryTimeoutMs: answerTimeoutMs,
    idleTimeoutMs: 0, // a rush after a pause finds its statements planned
    settings: {
      // There is a statement for each size of a batch: none is met often before it should be planned for good.
      plan_cache_mode: "force_generic_plan",
      lock_timeout: String(Math.ceil(lockMs)),
      statement_timeout: String(Math.ceil((answerTimeoutMs * 5) / 6)),
      idle_in_transaction_session_timeout: String(answerTimeoutMs),
    },
  })
}

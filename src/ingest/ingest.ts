import type { IncomingMessage } from "node:http"
import type { Hono } from "hono"
import { systemClock, type Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { Platform } from "../core/platform.ts"
import { createPool } from "../store/database.ts"
import type { Enqueue } from "../store/enqueue.ts"
import type { Sources } from "../store/sources.ts"
import { createBatcher, shuttingDown } from "./batcher.ts"
import { createByteBudget } from "./byte-budget.ts"
import { eventOf, messageOf, type Delivery, type Lineage } from "./delivery.ts"
import { createPersist } from "./persist-batch.ts"
import { readBody, type BodyLimits } from "./read-body.ts"
import { createWebhookRoutes, type NodeEnv } from "./routes.ts"
import { writeBatch, type Receipt } from "./write-batch.ts"

export interface IngestOptions {
  databaseUrl: string
  platforms: readonly Platform[]
  sources: Pick<Sources, "find">
  enqueue: Enqueue
  log: Log
  clock?: Clock
  /** Bytes of one body (25 MiB, what GitHub sends at most). */
  maxBodyBytes?: number
  /** Bytes of all bodies held in memory at the same time (128 MiB). */
  maxWaitingBytes?: number
  /** Milliseconds for a body to arrive (30 s). */
  bodyTimeoutMs?: number
  /** Milliseconds for which a database that is away is waited for (2 s: Slack wants an answer in 3). */
  patienceMs?: number
  /** Milliseconds after which a connection whose server does not answer is given up (10 s). */
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
  /** Lower-case names. */
  headers?: Readonly<Record<string, string>>
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
  const { databaseUrl, platforms, sources, enqueue, log, clock = systemClock } = options
  const { maxBodyBytes = 25 * mebibyte, maxWaitingBytes = 128 * mebibyte, inFlight = 2 } = options
  const pool = createPool(databaseUrl, {
    role: "signalbox_worker",
    max: inFlight,
    pipeline: true,
    queryTimeoutMs: options.answerTimeoutMs ?? 10_000,
  })
  const budget = createByteBudget(maxWaitingBytes)
  const limits: BodyLimits = {
    maxBytes: maxBodyBytes,
    timeoutMs: options.bodyTimeoutMs ?? 30_000,
    budget,
  }
  const batcher = createBatcher({
    persist: createPersist({
      write: (events, again) => writeBatch(pool, enqueue, events, again),
      patienceMs: options.patienceMs ?? 2_000,
      log,
    }),
    inFlight,
  })
  let closed: Promise<void> | undefined

  const routes = createWebhookRoutes({
    platforms,
    sources,
    batcher,
    limits,
    clock,
    log,
    closing: () => closed !== undefined,
  })

  async function submit(submission: Submission): Promise<Receipt> {
    const { body } = submission
    if (body.length > maxBodyBytes) {
      throw new SignalboxError("too_large", `the body is larger than ${maxBodyBytes} bytes`)
    }
    budget.take(body.length)
    try {
      return await add(submission)
    } finally {
      budget.give(body.length)
    }
  }

  async function submitRequest(
    incoming: IncomingMessage,
    submission: Omit<Submission, "body">,
  ): Promise<Receipt> {
    if (closed !== undefined) throw shuttingDown()
    const body = await readBody(incoming, limits)
    try {
      return await add({ ...submission, body })
    } finally {
      budget.give(body.length)
    }
  }

  /** Takes in what the budget counts already. */
  async function add(submission: Submission): Promise<Receipt> {
    if (closed !== undefined) throw shuttingDown()
    const platform = platforms.find(({ name }) => name === submission.platform)
    if (platform === undefined) throw new SignalboxError("unknown_platform", "there is no such platform")
    const { tenant, source, body, contentType, headers = {} } = submission
    const delivery: Delivery = { platform, tenant, source, headers, contentType, body, receivedAt: clock() }
    return batcher.add(eventOf(delivery, messageOf(delivery), submission))
  }

  return {
    routes,
    submit,
    submitRequest,
    close() {
      closed ??= batcher.close().then(() => pool.end())
      return closed
    },
  }
}

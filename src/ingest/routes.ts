import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Platform, Reply, Verification } from "../core/platform.ts"
import { defaultSource, type Source } from "../core/source.ts"
import { answerBy } from "./answer-by.ts"
import { shuttingDown, type Batcher } from "./batcher.ts"
import { messageOf, type Delivery } from "./delivery.ts"
import { checkMedia } from "./media.ts"
import type { BodyLimits } from "./read-body.ts"
import { readDelivery } from "./read-delivery.ts"
import { receiveBody } from "./receive-body.ts"
import type { RefusalRecorder } from "./refusals.ts"
import { singleHeaders } from "./single-headers.ts"
import type { Receipt } from "./write-batch.ts"

/** What ingest knows of a source. */
export type IngestSource = Pick<Source, "tenant" | "platform" | "name" | "sender" | "secrets" | "off">

/** What ingest asks of the sources: see `RunningSources`. */
export interface IngestSources {
  find(platform: string, name: string): IngestSource | undefined
  /** Told of each secret that has verified a request; must cost nothing. */
  matched?(secretId: string): void
}

export interface RouteOptions {
  platforms: readonly Platform[]
  sources: IngestSources
  batcher: Pick<Batcher, "add">
  limits: BodyLimits
  clock: Clock
  refusals: Pick<RefusalRecorder, "note">
  /** Whether the process is ending: then nothing more is taken. */
  closing: () => boolean
}

/** What is remembered of a request for as long as it is here. */
interface Arrival {
  /** When its head came: by the clock, and by `performance.now()`. */
  at: Date
  tick: number
  bodyBytes?: number
}

/** What the Node server hands to a request: the raw request is read, not the copy that fetch makes. */
export interface NodeEnv {
  Bindings: HttpBindings
}

const jsonHeaders = { "content-type": "application/json" }

/**
 * `POST /webhooks/:platform` and `/webhooks/:platform/:source`. Errors are thrown for the app that
 * mounts these routes to answer.
 */
export function createWebhookRoutes(options: RouteOptions): Hono<NodeEnv> {
  const { sources, batcher, limits, clock, refusals, closing } = options
  const platforms = new Map<string, Platform>(options.platforms.map((platform) => [platform.name, platform]))

  async function receive(env: HttpBindings, platformName: string, sourceName: string): Promise<Response> {
    const arrival: Arrival = { at: clock(), tick: performance.now() }
    const platform = platforms.get(platformName)
    if (platform === undefined) throw unknownPlatform(platformName)
    const source = sources.find(platformName, sourceName)
    if (source === undefined) throw new SignalboxError("not_found", "there is no source of that name")
    try {
      return await receiveFor(source, platform, env, arrival)
    } catch (error) {
      const { bodyBytes } = arrival
      refusals.note(source, error, arrival.at, { bodyBytes, closing: closing() })
      throw error
    }
  }

  async function receiveFor(
    source: IngestSource,
    platform: Platform,
    env: HttpBindings,
    arrival: Arrival,
  ): Promise<Response> {
    if (closing()) {
      env.outgoing.setHeader("connection", "close")
      throw shuttingDown()
    }
    if (source.off !== undefined) throw new SignalboxError("source_off", source.off)
    const headers = singleHeaders(env.incoming)
    checkMedia(headers, platform)
    const { body, coded, release } = await receiveBody(env.incoming, limits)
    arrival.bodyBytes = body.length
    try {
      const { tenant, name, sender } = source
      const contentType = headers["content-type"] ?? ""
      const receivedAt = clock()
      const delivery = { platform, tenant, source: name, headers, contentType, body, receivedAt, sender }
      return await take(delivery, source, coded, arrival)
    } finally {
      release()
    }
  }

  async function take(
    delivery: Delivery,
    source: IngestSource,
    coded: Buffer | null,
    arrival: Arrival,
  ): Promise<Response> {
    const { platform } = delivery
    const verification = verify(delivery, source, coded)
    if (!verification.ok) {
      const reply = unsignedHandshake(delivery)
      if (reply !== null) return replyWith(reply)
      throw new SignalboxError(verification.code, verification.reason)
    }
    const { secretId } = verification
    sources.matched?.(secretId)
    const read = readDelivery({ ...delivery, secretId })
    if (read.question !== null) return replyWith(read.question)
    const by = answerBy(platform, arrival.tick)
    const receipts = await allCommitted(read.events.map((event) => batcher.add(event, by)))
    if (read.reply !== null) return replyWith(read.reply)
    return acknowledgement(receipts, read.batch, platform.acceptedStatus)
  }

  const routes = new Hono<NodeEnv>()
  routes.post("/webhooks/:platform", (c) => receive(c.env, c.req.param("platform"), defaultSource))
  routes.post("/webhooks/:platform/:source", (c) =>
    receive(c.env, c.req.param("platform"), c.req.param("source")),
  )
  return routes
}

/** Checks the signature over the body, and where that fails over the bytes as they were coded. */
function verify(delivery: Delivery, { secrets }: IngestSource, coded: Buffer | null): Verification {
  const { platform, headers, body, receivedAt, sender } = delivery
  const request = { headers, body, receivedAt, sender }
  const verification = platform.verify(request, secrets)
  if (verification.ok || coded === null) return verification
  const overCoded = platform.verify({ ...request, body: coded }, secrets)
  return overCoded.ok ? overCoded : verification
}

const maxQuestionBytes = 4096

/** A reply that a sender may have without a signature. No large body is parsed before it is believed. */
function unsignedHandshake(delivery: Delivery): Reply | null {
  if (delivery.platform.handshake === undefined || delivery.body.length > maxQuestionBytes) return null
  try {
    return delivery.platform.handshake(messageOf(delivery), false)
  } catch (error) {
    if (error instanceof SignalboxError) return null
    throw error
  }
}

function unknownPlatform(name: string): SignalboxError {
  return new SignalboxError("unknown_platform", `there is no platform ${JSON.stringify(name.slice(0, 64))}`)
}

function replyWith({ status, body }: Reply): Response {
  return body === null
    ? new Response(null, { status })
    : new Response(JSON.stringify(body), { status, headers: jsonHeaders })
}

/**
 * Waits for every event, then throws what kept one of them out, a failure that passes first: its sender
 * tries again, and those that were stored are repeats then.
 */
async function allCommitted(adds: readonly Promise<Receipt>[]): Promise<Receipt[]> {
  const [only] = adds
  if (only !== undefined && adds.length === 1) return [await only]
  const failures = (await Promise.allSettled(adds)).flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as unknown] : [],
  )
  if (failures.length > 0) {
    throw failures.find((failure) => failure instanceof SignalboxError && failure.retryable) ?? failures[0]
  }
  return Promise.all(adds)
}

function acknowledgement(receipts: readonly Receipt[], batch: boolean, status: number): Response {
  const told = receipts.map(
    ({ eventId, duplicate, conflict }) =>
      `{"eventId":"${eventId}","duplicate":${duplicate}${conflict ? ',"conflict":true' : ""}}`,
  )
  const body = batch ? `{"events":[${told.join(",")}]}` : (told[0] ?? "{}")
  return new Response(body, { status, headers: jsonHeaders })
}

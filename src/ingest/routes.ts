import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { Platform, Reply } from "../core/platform.ts"
import { defaultSource, type Source, type Sources } from "../store/sources.ts"
import { shuttingDown, type Batcher } from "./batcher.ts"
import { eventOf, messageOf, type Delivery } from "./delivery.ts"
import { checkMedia } from "./media.ts"
import { readBody, type BodyLimits } from "./read-body.ts"
import type { Receipt } from "./write-batch.ts"

export interface RouteOptions {
  platforms: readonly Platform[]
  sources: Pick<Sources, "find">
  batcher: Pick<Batcher, "add">
  limits: BodyLimits
  clock: Clock
  log: Log
  /** Whether the process is ending: then nothing more is taken. */
  closing: () => boolean
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
  const { sources, batcher, limits, clock, log, closing } = options
  const platforms = new Map<string, Platform>(options.platforms.map((platform) => [platform.name, platform]))

  async function receive(env: HttpBindings, platformName: string, sourceName: string): Promise<Response> {
    if (closing()) {
      env.outgoing.setHeader("connection", "close")
      throw shuttingDown()
    }
    const platform = platforms.get(platformName)
    if (platform === undefined) throw unknownPlatform(platformName)
    const source = openSource(sources.find(platformName, sourceName))
    const headers = singleHeaders(env.incoming.headers)
    checkMedia(headers, platform)
    const body = await readBody(env.incoming, limits)
    try {
      const contentType = headers["content-type"] ?? ""
      return await take(
        {
          platform,
          tenant: source.tenant,
          source: source.name,
          headers,
          contentType,
          body,
          receivedAt: clock(),
        },
        source,
      )
    } finally {
      limits.budget.give(body.length)
    }
  }

  async function take(delivery: Delivery, source: Source): Promise<Response> {
    const { platform, body, receivedAt } = delivery
    const verification = platform.verify({ headers: delivery.headers, body, receivedAt }, source.secrets)
    if (!verification.ok) {
      const reply = unsignedHandshake(delivery)
      if (reply !== null) return replyWith(reply)
      log.warn(
        { platform: platform.name, source: source.name, code: verification.code },
        "a webhook was refused",
      )
      throw new SignalboxError(verification.code, verification.reason)
    }
    const message = messageOf(delivery)
    const question = platform.handshake?.(message, true)
    if (question) return replyWith(question)
    const receipt = await batcher.add(eventOf(delivery, message))
    const reply = platform.acknowledge?.(message)
    return reply ? replyWith(reply) : acknowledgement(receipt, platform.acceptedStatus)
  }

  const routes = new Hono<NodeEnv>()
  routes.post("/webhooks/:platform", (c) => receive(c.env, c.req.param("platform"), defaultSource))
  routes.post("/webhooks/:platform/:source", (c) =>
    receive(c.env, c.req.param("platform"), c.req.param("source")),
  )
  return routes
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

function openSource(source: Source | undefined): Source {
  if (source === undefined) throw new SignalboxError("not_found", "there is no source of that name")
  if (source.off !== undefined) throw new SignalboxError("source_off", source.off)
  return source
}

function unknownPlatform(name: string): SignalboxError {
  return new SignalboxError("unknown_platform", `there is no platform ${JSON.stringify(name.slice(0, 64))}`)
}

/** Lower-case names with one value each, as Node has joined them. */
function singleHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const single: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === "string") single[name] = value
  }
  return single
}

function replyWith({ status, body }: Reply): Response {
  return body === null
    ? new Response(null, { status })
    : new Response(JSON.stringify(body), { status, headers: jsonHeaders })
}

function acknowledgement({ eventId, duplicate, conflict }: Receipt, status: number): Response {
  const body = `{"eventId":"${eventId}","duplicate":${duplicate}${conflict ? ',"conflict":true' : ""}}`
  return new Response(body, { status, headers: jsonHeaders })
}

import type { AttemptOutcome, DeliveryDefinition } from "../consumers/delivery-definition.ts"
import type { Clock } from "../core/clock.ts"
import type { LoggedEvent } from "../core/envelope.ts"
import { maskText } from "../core/mask.ts"
import type { WebhookRow } from "../core/subscription.ts"
import { cleanText } from "../core/text.ts"
import { createBreaker, type Rest } from "./breaker.ts"
import { createGate, type EndpointGate } from "./gate.ts"
import { ForbiddenAddress, type Guard } from "./guard.ts"
import type { HealthBook } from "./health.ts"
import { createRateLimit } from "./rate-limit.ts"
import { contentTypes, type RenderBody } from "./render-body.ts"
import { retryAfterMs, retryWait } from "./retry.ts"
import { createSender, type Answer, type Sender } from "./send.ts"
import { signatureHeader, type SigningKey } from "./sign.ts"

/** A receiver as this process sends to it. */
export interface Endpoint {
  /** Where it sends. */
  url: string
  gate: EndpointGate
  /** Makes one attempt; undefined where `signal` cut it short. */
  attempt: DeliveryDefinition["attempt"]
  /** How the receiver is spared by this process. */
  rest(): Rest
  /** Spares it as another process does. */
  adopt(rest: Rest): void
  close(): Promise<void>
}

export interface EndpointOptions {
  subscription: WebhookRow
  /** Those in force, the newest first. */
  keys: readonly SigningKey[]
  matches: (event: LoggedEvent) => boolean
  render: RenderBody
  guard: Guard
  clock: Clock
  random: () => number
  health: HealthBook
  /** Told that the receiver wants nothing any more (410). */
  onGone: (reason: string) => void
  /** Told when `rest` answers something that other processes should know. */
  onRest: () => void
}

/** Attempts beyond the schedule that were begun and never settled, as processes ended again and again. */
const sparedAttempts = 5

/** Makes an endpoint; nothing is connected before the first attempt. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { subscription, keys, matches, render, guard, clock, random, health, onGone, onRest } = options
  const { url, retrySchedule, concurrency, partitions, timeoutMs } = subscription
  const { origin, path } = addressOf(url)
  const breaker = createBreaker(random, onRest)
  const rate = createRateLimit(subscription.ratePerSecond)
  const gate = createGate({ concurrency, partitions, rate, breaker })
  const sender: Sender = createSender(origin, guard, concurrency)
  const secretIds = keys.map(({ id }) => id)

  async function attempt(
    event: LoggedEvent,
    number: number,
    signal: AbortSignal,
    replayId: string | null,
  ): Promise<AttemptOutcome | undefined> {
    if (number > retrySchedule.length + 1 + sparedAttempts) {
      const error = `the processes that sent it ended again and again: ${number - 1} attempts`
      return { status: "dead", errorCode: "interrupted", error }
    }
    if (!wants(event)) return { status: "skipped" }
    gate.entered()
    try {
      const body = render(event, subscription, replayId !== null)
      const sentAt = clock()
      const began = performance.now()
      const headers = {
        ...signedHeaders(messageId(event, replayId), sentAt, body, subscription.format, keys),
        ...(replayId === null ? {} : { "signalbox-replay": replayId }),
      }
      const answer = await sender.send({ path, headers, body, timeoutMs, signal })
      if (answer.cut) {
        breaker.undecided()
        return undefined
      }
      const durationMs = Math.round(performance.now() - began)
      return { ...judge(event.id, number, answer, sentAt), record: recordOf(answer, sentAt, durationMs) }
    } finally {
      gate.left()
    }
  }

  function wants(event: LoggedEvent): boolean {
    try {
      return matches(event) // again: the filter may be another one since
    } catch {
      return true
    }
  }

  function judge(eventId: string, number: number, answer: Answer, sentAt: Date): AttemptOutcome {
    const { statusCode } = answer
    if (statusCode !== null && statusCode >= 200 && statusCode < 300) {
      breaker.succeeded()
      health.succeeded(sentAt)
      return { status: "delivered" }
    }
    const { errorCode, error } = failureOf(answer)
    const now = clock()
    const askedMs = retryAfterMs(answer.retryAfter, now)
    health.failed(sentAt, error)
    if (statusCode === 410) {
      gate.shut()
      onGone(error)
      return { status: "retrying", waitMs: 0, errorCode, error } // should somebody resume it all the same
    }
    const throttles = statusCode === 429 || statusCode === 503
    breaker.failed(eventId, performance.now(), throttles ? askedMs : 0)
    const waitMs = retryWait(retrySchedule, number, random())
    if (waitMs === undefined) return { status: "dead", errorCode, error }
    return { status: "retrying", waitMs: Math.max(waitMs, askedMs), errorCode, error }
  }

  function recordOf({ statusCode, response }: Answer, sentAt: Date, durationMs: number) {
    return { sentAt, statusCode, durationMs, response: shown(response), secretIds }
  }

  return {
    url,
    gate,
    attempt,
    rest: () => breaker.rest(performance.now()),
    adopt(rest) {
      breaker.adopt(rest, performance.now())
      gate.look()
    },
    close: () => (gate.shut(), sender.close()),
  }
}

/** Where a URL leads: what is connected to, and what is asked for there. */
export function addressOf(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url)
  return { origin, path: pathname + search }
}

/** What a message is known by: a receiver that has seen the event, and keeps what it saw, is to take a replay for new. */
function messageId({ id }: LoggedEvent, replayId: string | null): string {
  return replayId === null ? id : `${id}_${replayId}`
}

/** The headers of one attempt. */
export function signedHeaders(
  id: string,
  sentAt: Date,
  body: Buffer,
  format: WebhookRow["format"],
  keys: readonly SigningKey[],
): Record<string, string> {
  const timestamp = Math.floor(sentAt.getTime() / 1_000)
  return {
    "content-type": contentTypes[format],
    "user-agent": "signalbox",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatureHeader(id, timestamp, body, keys),
  }
}

/** Of an answer, what may be shown. */
export function shown(response: string | null): string | null {
  return response === null ? null : cleanText(maskText(response), 1_024)
}

/** Why an answer, or the lack of one, counts as a failure. */
export function failureOf({ statusCode, error }: Answer): { errorCode: string; error: string } {
  if (statusCode !== null) {
    const redirect = statusCode >= 300 && statusCode < 400
    const hint = redirect ? " (redirects are not followed: give the subscription the final address)" : ""
    return { errorCode: `status_${statusCode}`, error: `the receiver answered ${statusCode}${hint}` }
  }
  if (error instanceof ForbiddenAddress) return { errorCode: "address", error: error.message }
  const code = error !== null && "code" in error && typeof error.code === "string" ? error.code : error?.name
  const timedOut = error?.name === "TimeoutError" || code === "UND_ERR_CONNECT_TIMEOUT"
  const text = cleanText(maskText(error?.message || "the connection failed"), 500)
  return { errorCode: timedOut ? "timeout" : "network", error: `${code ?? "failed"}: ${text}` }
}

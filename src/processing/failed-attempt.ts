import { SignalboxError } from "../core/errors.ts"
import { maskText } from "../core/mask.ts"
import { cleanText } from "../core/text.ts"
import type { ProcessedEvent } from "../store/processing.ts"

/** An event that could not be processed, and why. */
export interface FailedAttempt {
  event: ProcessedEvent
  /** Attempts so far, this one included. */
  attempts: number
  /** `derive_failed`, `row_refused`, `worker_died`, or the code of a SignalboxError. */
  code: string
  error: string
}

/** Attempts an event has before it is a dead letter. */
export const maxAttempts = 5

const firstDelayMs = 500

/** How long to wait after so many attempts, in milliseconds: doubling from half a second, ±25 %. */
export function defaultRetryDelayMs(attempts: number, random: () => number = Math.random): number {
  return Math.round(firstDelayMs * 2 ** (attempts - 1) * (0.75 + random() / 2))
}

/** The failure of one attempt at one event. */
export function failedAttempt(
  event: ProcessedEvent,
  attempts: number,
  code: string,
  error: unknown,
): FailedAttempt {
  return {
    event: headOf(event),
    attempts,
    code: error instanceof SignalboxError ? error.code : code,
    error: cleanText(maskText(error instanceof Error ? error.message : String(error)), 2_000),
  }
}

/** An event without its body and texts. */
export function headOf(event: ProcessedEvent): ProcessedEvent {
  const { id, tenant, platform, type, priority, receivedAt } = event
  return { id, tenant, platform, type, priority, receivedAt }
}

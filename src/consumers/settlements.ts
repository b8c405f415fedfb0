import type { Settlement } from "../store/deliveries.ts"
import { workKey, type Work } from "./work.ts"

/** An attempt that was begun and not made, or cut short through no fault of its own: it does not count. */
export function handedBack(eventId: string, attempt: number, now: Date): Settlement {
  return { eventId, status: "retrying", attempts: attempt - 1, nextAttemptAt: now, finishedAt: now }
}

/** An attempt that was begun and not made: an earlier event of its entity has failed. */
export function heldBack(work: Work, now: Date): Settlement {
  const { event, attempt } = work
  return {
    eventId: event.id,
    status: "held",
    attempts: attempt - 1,
    finishedAt: now,
    orderKey: workKey(work),
  }
}

/** An event that was running, and again running alone, whenever its process ended. */
export function interruptedForGood(eventId: string, attempts: number, now: Date): Settlement {
  const error = `the process ended while this event ran, the last times alone: ${attempts} attempts`
  return { eventId, status: "dead", attempts, errorCode: "interrupted", error, finishedAt: now }
}

/** An event that was to be tried again, but that the log no longer holds. */
export function goneForGood(eventId: string, attempts: number, now: Date): Settlement {
  const error = "the event is no longer in the log"
  return { eventId, status: "dead", attempts, errorCode: "gone", error, finishedAt: now }
}

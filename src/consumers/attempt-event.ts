import type { Settlement } from "../store/deliveries.ts"
import type { DeliveryDefinition } from "./delivery-definition.ts"
import { describeFailure } from "./failure-text.ts"
import type { RunEnvironment } from "./run-event.ts"
import type { Work } from "./work.ts"

const faultWaitMs = 60_000

/** Makes an attempt that tells itself what came of it; undefined where it was cut short. */
export async function attemptEvent(
  definition: DeliveryDefinition,
  { event, attempt, replayId }: Work,
  { clock, log, signal }: Omit<RunEnvironment, "policy">,
): Promise<Settlement | undefined> {
  try {
    const outcome = await definition.attempt(event, attempt, signal, replayId)
    if (outcome === undefined) return undefined
    const { waitMs, ...rest } = outcome
    const finishedAt = clock()
    const settlement = { eventId: event.id, attempts: attempt, finishedAt, ...rest }
    if (rest.status !== "retrying") return settlement
    return { ...settlement, nextAttemptAt: new Date(finishedAt.getTime() + (waitMs ?? 0)) }
  } catch (error) {
    // It was to tell of every failure: this one is a fault of ours, and none of the event's.
    log.error({ err: error, consumer: definition.name, event: event.id }, "a delivery could not be attempted")
    const { code: errorCode, text } = describeFailure(error)
    const finishedAt = clock()
    const nextAttemptAt = new Date(finishedAt.getTime() + faultWaitMs)
    return {
      eventId: event.id,
      attempts: attempt,
      status: "retrying",
      errorCode,
      error: text,
      finishedAt,
      nextAttemptAt,
    }
  }
}

import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import type { Settlement } from "../store/deliveries.ts"
import type { ConsumerDefinition } from "./definition.ts"
import { describeFailure } from "./failure-text.ts"
import { boundedResult } from "./result.ts"
import { retryDelay, type RetryPolicy } from "./retry-policy.ts"
import { runOnce } from "./run-once.ts"
import type { Work } from "./work.ts"

/** What a run needs besides its consumer and its event. */
export interface RunEnvironment {
  clock: Clock
  random: () => number
  log: Log
  policy: RetryPolicy
  /** Aborted when the run is of no use any more: the hub stops, or the lease is lost. */
  signal: AbortSignal
}

/**
 * Runs a consumer on one event and says what came of it; undefined where `signal` cut it short, so
 * that it does not count.
 */
export async function runEvent(
  definition: ConsumerDefinition,
  { event, attempt, replayId }: Work,
  environment: RunEnvironment,
): Promise<Settlement | undefined> {
  const { clock, signal } = environment
  const log = environment.log.child({ consumer: definition.name, event: event.id, attempt })
  try {
    // Asked again, because a retry may come after the consumer has changed its mind, and because an
    // error of `matches` belongs to the event that caused it.
    if (!definition.matches(event)) {
      return { eventId: event.id, status: "skipped", attempts: attempt, finishedAt: clock() }
    }
    const result = boundedResult(await runOnce(definition, event, { attempt, replayId }, log, signal))
    return { eventId: event.id, status: "delivered", attempts: attempt, finishedAt: clock(), ...result }
  } catch (error) {
    return signal.aborted ? undefined : failed(event.id, attempt, error, log, environment)
  }
}

function failed(
  eventId: string,
  attempt: number,
  cause: unknown,
  log: Log,
  { policy, clock, random }: RunEnvironment,
): Settlement {
  const { code: errorCode, text: error, final, retryAfterMs } = describeFailure(cause)
  const finishedAt = clock()
  const settlement = { eventId, attempts: attempt, errorCode, error, finishedAt }
  if (final || attempt >= policy.attempts) {
    log.error({ err: cause }, "failed for good: see dead_letters")
    return { ...settlement, status: "dead" }
  }
  const waitMs = Math.max(retryDelay(policy, attempt, random()), retryAfterMs)
  log.warn({ err: cause, retryInMs: Math.round(waitMs) }, "failed, will be tried again")
  return { ...settlement, status: "retrying", nextAttemptAt: new Date(finishedAt.getTime() + waitMs) }
}

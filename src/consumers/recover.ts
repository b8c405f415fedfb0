import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { Lease } from "../store/consumer-leases.ts"
import { repeatAttempt, type InterruptedAttempt, type Settlement } from "../store/deliveries.ts"
import type { RetryPolicy } from "./retry-policy.ts"
import { goneForGood, interruptedForGood } from "./settlements.ts"
import { settledUnder, type Work } from "./work.ts"
import type { WorkerServices } from "./worker-services.ts"

export interface RecoveryOptions {
  services: Pick<WorkerServices, "pool" | "clock" | "oneSuspectAtATime">
  lease: Lease
  policy: RetryPolicy
  log: Log
  /** Aborted when nothing more is to be begun. */
  signal: AbortSignal
  eventOf: (eventId: string) => Promise<LoggedEvent | undefined>
  write: (settlement: Settlement) => Promise<void>
  /** Resolves when it has run, with nothing of the partition beside it. */
  runAlone: (work: Work) => Promise<void>
}

const fatalAlone = 2 // one end of a process may be another's doing: a neighbour partition, a signal

/** Makes a function that runs alone what a holder before us left unfinished: it may be what ended that holder. */
export function createRecovery(options: RecoveryOptions): (attempt: InterruptedAttempt) => Promise<void> {
  const { services, lease, policy, log, signal, eventOf, write, runAlone } = options
  const { pool, clock, oneSuspectAtATime } = services
  const unmade = new Map<string, number>() // attempts that may be counted already, by event, and were not made

  return async ({ eventId, attempts, alone, replayId }) => {
    const counted = unmade.get(eventId) === attempts
    if (!counted && attempts >= policy.attempts && alone >= fatalAlone) {
      log.error(
        { event: eventId, attempts },
        "its process ended again and again while it ran: see dead_letters",
      )
      return write(settledUnder(replayId, interruptedForGood(eventId, attempts, clock())))
    }
    const repeat = async (): Promise<void> => {
      if (signal.aborted) return
      const event = await eventOf(eventId)
      if (event === undefined) return write(settledUnder(replayId, goneForGood(eventId, attempts, clock())))
      const attempt = counted ? attempts : attempts + 1
      unmade.set(eventId, attempt)
      if (!counted && !(await repeatAttempt(pool, lease, eventId)))
        throw new Error("an attempt could not be repeated")
      unmade.delete(eventId)
      await runAlone({ event, attempt, replayId })
    }
    // Under suspicion by now, and where it ends this process again, no other suspect shall be counted for it.
    await (attempts > 1 ? oneSuspectAtATime(repeat) : repeat())
  }
}

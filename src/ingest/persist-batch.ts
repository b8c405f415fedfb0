import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { NewEvent } from "../store/events.ts"
import { failureOf } from "../store/failure.ts"
import type { Receipt } from "./write-batch.ts"

/** What became of each event of a batch, by the id it brought. */
export type Outcomes = Map<string, Receipt | SignalboxError>

export interface PersistOptions {
  /** Writes a batch; `again` where an earlier attempt at it may have been committed. */
  write: (events: readonly NewEvent[], again: boolean) => Promise<Map<string, Receipt>>
  /** Milliseconds for which a database that is away is tried again before senders are turned away. */
  patienceMs: number
  log: Log
}

const firstDelayMs = 20
const longestDelayMs = 500
const contentionAttempts = 4

/**
 * Writes a batch until its outcome is known. A short absence of the database is waited out, since
 * some senders never retry; writing again is safe, the keys see to that. A batch that is refused is
 * halved until the row at fault stands alone, so that it harms no other. Throws `unavailable` (503)
 * when patience is at its end.
 */
export function createPersist({ write, patienceMs, log }: PersistOptions) {
  return async function persist(events: readonly NewEvent[]): Promise<Outcomes> {
    const giveUpAt = performance.now() + patienceMs
    let delay = firstDelayMs
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(events, attempt > 1)
      } catch (error) {
        const failure = failureOf(error)
        if (failure !== "away" && failure !== "contention") return isolate(events, error, failure === "data")
        const wait = delay * (0.5 + Math.random() / 2)
        delay = Math.min(delay * 2, longestDelayMs)
        // It takes the server a second to see a deadlock; that is no reason to have no second try.
        const owed = failure === "contention" && attempt < contentionAttempts
        if (!owed && performance.now() + wait > giveUpAt) throw unavailable(failure, error)
        log.debug({ err: error, events: events.length }, "a batch is written again")
        await sleep(wait)
      }
    }

    async function isolate(refused: readonly NewEvent[], cause: unknown, data: boolean): Promise<Outcomes> {
      const [first] = refused
      if (first !== undefined && refused.length === 1) {
        return new Map([[first.id, data ? refusal(cause) : fault(cause)]])
      }
      const middle = Math.ceil(refused.length / 2)
      const left = await persist(refused.slice(0, middle))
      const right = await persist(refused.slice(middle))
      return new Map([...left, ...right])
    }
  }
}

function unavailable(failure: "away" | "contention", cause: unknown): SignalboxError {
  const reason = failure === "away" ? "the database cannot be reached" : "the database is too busy"
  return new SignalboxError("unavailable", `${reason}; try again`, { retryAfter: 5, cause })
}

function refusal(cause: unknown): SignalboxError {
  return new SignalboxError("bad_request", "the event holds a value that cannot be stored", { cause })
}

function fault(cause: unknown): SignalboxError {
  return new SignalboxError("internal", "the event could not be stored", { cause })
}

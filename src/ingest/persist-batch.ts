import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { NewEvent } from "../store/events.ts"
import { failureOf } from "../store/failure.ts"
import type { Receipt } from "./write-batch.ts"

/**
 * What became of each event of a batch, by the id it brought. One that met another transaction's locks
 * is `contended`: nothing of it is written, and it should be tried alone. One that nobody waits for any
 * more may be absent.
 */
export type Outcomes = Map<string, Receipt | SignalboxError | "contended">

export interface PersistOptions {
  /**
   * Writes a batch; `again` where an earlier attempt at it may have been committed, `alone` where it is
   * one event that met locks before, and others wait for their turn.
   */
  write: (events: readonly NewEvent[], again: boolean, alone: boolean) => Promise<Map<string, Receipt>>
  log: Log
}

/** Says whether somebody still waits for an event. */
export type Wanted = (event: NewEvent) => boolean

const firstDelayMs = 20
const longestDelayMs = 500

/**
 * Writes a batch until its outcome is known, or nobody waits for it any more. An absence of the
 * database is waited out, since some senders never retry; writing again is safe, the keys see to that,
 * and what was given up between two attempts is left out of the next. A batch that is refused is halved
 * until the row at fault stands alone, so that it harms no other.
 */
export function createPersist({ write, log }: PersistOptions) {
  return async function persist(
    events: readonly NewEvent[],
    wanted: Wanted,
    alone = false,
  ): Promise<Outcomes> {
    let again = alone
    for (let delay = firstDelayMs; ; delay = Math.min(delay * 2, longestDelayMs)) {
      const left = events.filter(wanted)
      if (left.length === 0) return new Map()
      try {
        return await write(left, again, alone)
      } catch (error) {
        const failure = failureOf(error)
        if (failure === "contention") return new Map(left.map(({ id }) => [id, "contended"]))
        if (failure !== "away") return isolate(left, error, failure === "data")
        if (delay === firstDelayMs)
          log.warn({ err: error, events: left.length }, "the database is waited for")
        again = true
        await sleep(delay * (0.5 + Math.random() / 2))
      }
    }

    async function isolate(refused: readonly NewEvent[], cause: unknown, data: boolean): Promise<Outcomes> {
      const [first] = refused
      if (first !== undefined && refused.length === 1) {
        return new Map([[first.id, data ? refusal(cause) : fault(cause)]])
      }
      const middle = Math.ceil(refused.length / 2)
      const left = await persist(refused.slice(0, middle), wanted, alone)
      const right = await persist(refused.slice(middle), wanted, alone)
      return new Map([...left, ...right])
    }
  }
}

function refusal(cause: unknown): SignalboxError {
  return new SignalboxError("bad_request", "the event holds a value that cannot be stored", { cause })
}

function fault(cause: unknown): SignalboxError {
  return new SignalboxError("internal", "the event could not be stored", { cause })
}

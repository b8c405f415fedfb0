import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import type { Attempt, Settlement } from "../store/deliveries.ts"
import { readLoggedEvents } from "../store/log-scan.ts"
import type { EntityOrder } from "./entity-order.ts"
import { goneForGood } from "./settlements.ts"
import { settledUnder, type Work } from "./work.ts"

/** What of a partition is to be tried again, or was made due by replays, and when. */
export interface DueWork {
  /** When something is due, in Unix milliseconds; Infinity where nothing is known of. */
  at(): number
  /** Says that something is due at a time; an early word costs a query, a missed one is said again. */
  note(at: Date): void
  /** Takes up some of what is due, and answers how many. */
  take(): Promise<number>
}

export interface DueWorkOptions {
  pool: Pool
  /** Counts attempts at some of what is due by now, and answers them in the order of the log. */
  takeDue: (now: Date) => Promise<Attempt[]>
  /** Looks up when the next is due, and notes it. */
  look: () => Promise<void>
  clock: Clock
  order: EntityOrder | undefined
  /** Called when something is due earlier than was known. */
  wake: () => void
  run: (work: Work[]) => void
  /** Puts back what has to wait for an earlier event of its entity. */
  hold: (work: Work) => void
  /** Resolves when everything that was put back is in the database. */
  allHeld: () => Promise<unknown>
  write: (settlement: Settlement) => Promise<void>
  /** Called when an event that others may wait for is in the log no more. */
  onGone: () => void
}

/** Makes the due work of one partition. */
export function createDueWork(options: DueWorkOptions): DueWork {
  const { pool, takeDue, look, clock, order, wake, run, hold, allHeld, write, onGone } = options
  let dueAt = Infinity

  function note(at: Date): void {
    if (at.getTime() >= dueAt) return
    dueAt = at.getTime()
    wake()
  }

  async function take(): Promise<number> {
    dueAt = Infinity
    await allHeld() // what was put back is released first: it is older than what would be taken
    const ticket = order?.ticket() ?? 0
    const due = await takeDue(clock())
    const ids = due.map(({ eventId }) => eventId)
    const events = new Map((await readLoggedEvents(pool, ids)).map((event) => [event.id, event]))
    for (const { eventId, attempts: attempt, replayId } of due) {
      const event = events.get(eventId)
      if (event === undefined) await bury(eventId, attempt, replayId)
      else if (order?.mustWait({ event, replayId }, ticket) === true) hold({ event, attempt, replayId })
      else run([{ event, attempt, replayId }])
    }
    await look()
    return due.length
  }

  async function bury(eventId: string, attempt: number, replayId: string | null): Promise<void> {
    await write(settledUnder(replayId, goneForGood(eventId, attempt, clock())))
    if (order !== undefined) onGone()
  }

  return { at: () => dueAt, note, take }
}

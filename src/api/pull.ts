import { SignalboxError } from "../core/errors.ts"
import type { LoggedEvent } from "../core/envelope.ts"
import type { HistoryPage } from "../store/history.ts"
import type { Database } from "../store/database.ts"
import { firstHole } from "../store/log-holes.ts"
import { logBounds, type Hole } from "../store/log-pages.ts"

/** A page of the log for a consumer that pulls, whole: where something is missing, it ends before that. */
export interface Pull {
  events: LoggedEvent[]
  /** Everything up to here has been told: where the next page begins. */
  position: number
  /** Whether the log goes on behind it. */
  more: boolean
}

/** Lists what matches in the order of positions, from behind `after` up to `upTo`; `next` is null at that end. */
export type ReadStretch = (after: number, upTo: number) => Promise<HistoryPage>

/** Positions that a page looks through at most, so that it costs little to know that none is missing. */
const longest = 100_000

/**
 * Reads the page behind a position. Throws `gone` where retention has dropped what comes next, with the
 * positions that are `missing`, and `conflict` for a position that the log has not reached.
 */
export async function pull(
  { work }: Database,
  from: number | "earliest" | "latest",
  read: ReadStretch,
): Promise<Pull> {
  const { first, head } = await logBounds(work)
  const after = from === "earliest" ? first - 1 : from === "latest" ? head : from
  if (after > head) {
    const words = "the cursor belongs to another database, or to a time before this one was restored"
    throw new SignalboxError(
      "conflict",
      `position ${after} is beyond the end of the log, at ${head}: ${words}`,
    )
  }
  const upTo = Math.min(head, after + longest)
  const { events, next, gone } = upTo > after ? await read(after, upTo) : nothing
  const reached = next ?? upTo
  // Looked for afterwards: what is there now was there when the page was read.
  const hole = earlier(
    await firstHole(work, after, reached),
    gone.find((position) => position <= reached),
  )
  if (hole === undefined) return { events, position: reached, more: reached < head }
  if (hole.from === after + 1) throw pastRetention(hole)
  const position = hole.from - 1
  return { events: events.filter((event) => event.position <= position), position, more: true }
}

const nothing: HistoryPage = { events: [], next: null, gone: [], offset: 0 }

function earlier(hole: Hole | undefined, gone: number | undefined): Hole | undefined {
  if (gone === undefined || (hole !== undefined && hole.from < gone)) return hole
  return { from: gone, to: gone }
}

function pastRetention({ from, to }: Hole): SignalboxError {
  return new SignalboxError(
    "gone",
    `positions ${from} to ${to} are past retention; ask again with after=${to} to go on behind them`,
    { details: { missing: { from, to } } },
  )
}

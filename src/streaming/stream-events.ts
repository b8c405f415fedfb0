import type { LoggedEvent } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Filter } from "../core/filter.ts"
import type { Log } from "../core/log.ts"
import type { Database } from "../store/database.ts"
import type { Hole } from "../store/log-pages.ts"
import type { Feed } from "./feed.ts"
import type { History } from "./history.ts"
import { createLogCursor } from "./log-cursor.ts"
import { startingPoint } from "./starting-point.ts"
import type { FindStreamFilter } from "./stream-definitions.ts"
import { createView } from "./view.ts"

export interface StreamEventsOptions {
  tenant: string
  /** Position after which to begin; news only by default. */
  after?: number | "earliest" | "latest" | undefined
  filter?: Filter | undefined
  /** Ends the stream; what is being waited for is given up. */
  signal?: AbortSignal | undefined
  /** Told of positions that retention dropped. Without it, the stream throws `gone` there. */
  onGap?: ((gap: Hole) => void) | undefined
}

/** Events of a named stream as an async iterable, read at the pace at which they are taken. */
export type StreamEvents = (name: string, options: StreamEventsOptions) => AsyncGenerator<LoggedEvent, void>

export interface StreamEventsParts {
  database: Database
  feed: Feed
  history: History
  log: Log
  findStreamFilter: FindStreamFilter
}

/** Makes `streamEvents`. No more than one stretch of the log is held for each stream. */
export function createStreamEvents({
  database,
  feed,
  history,
  log,
  findStreamFilter,
}: StreamEventsParts): StreamEvents {
  return async function* streamEvents(name, { tenant, after = "latest", filter = {}, signal, onGap }) {
    const view = createView(tenant, [await findStreamFilter(tenant, name), filter])
    const start = await startingPoint(database, feed, after)
    const ended = endOf(signal)
    let setBack = false
    const unsubscribe = feed.subscribe({ advance: () => {}, setBack: () => (setBack = true) })
    try {
      const cursor = createLogCursor({ feed, history, log, view, after: start })
      while (!feed.stopped) {
        const pulling = cursor.pull()
        const stretch = await Promise.race([pulling, ended.promise])
        void pulling.then(({ release }) => release()) // also where it comes too late
        if (stretch === undefined) return
        if (setBack) throw new SignalboxError("conflict", "the log was set back; begin the stream anew")
        for (const entry of stretch.entries) {
          if (isAborted(signal)) return
          if (entry.kind === "event") yield entry.event
          else if (onGap !== undefined) onGap({ from: entry.from, to: entry.position })
          else
            throw new SignalboxError(
              "gone",
              `positions ${entry.from} to ${entry.position} are past retention`,
            )
        }
      }
    } finally {
      ended.forget()
      unsubscribe()
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false
}

/** Resolves when the signal is aborted. */
function endOf(signal: AbortSignal | undefined): { promise: Promise<undefined>; forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const end = () => resolve(undefined)
  if (isAborted(signal)) end()
  signal?.addEventListener("abort", end)
  return { promise, forget: () => signal?.removeEventListener("abort", end) }
}

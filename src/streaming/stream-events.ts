import { SignalboxError } from "../core/errors.ts"
import type { Filter } from "../core/filter.ts"
import type { Log } from "../core/log.ts"
import type { Database } from "../store/database.ts"
import type { Hole } from "../store/log-pages.ts"
import type { Feed } from "./feed.ts"
import type { History } from "./history.ts"
import { createLogCursor, type LogCursor, type Stretch } from "./log-cursor.ts"
import { startingPoint } from "./starting-point.ts"
import type { FindStreamFilter } from "./stream-definitions.ts"
import { toStreamedEvent, type StreamedEvent } from "./streamed-event.ts"
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
export type StreamEvents = (name: string, options: StreamEventsOptions) => AsyncGenerator<StreamedEvent, void>

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
    let setBack = false
    const unsubscribe = feed.subscribe({ advance: () => {}, setBack: () => (setBack = true) })
    try {
      const cursor = createLogCursor({ feed, history, log, view, after: start })
      while (!feed.stopped) {
        const stretch = await pullUntilAborted(cursor, signal)
        if (stretch === undefined) return
        if (setBack) throw new SignalboxError("conflict", "the log was set back; begin the stream anew")
        for (const entry of stretch.entries) {
          if (isAborted(signal)) return
          if (entry.kind === "event") yield toStreamedEvent(entry.event)
          else if (onGap !== undefined) onGap({ from: entry.from, to: entry.position })
          else
            throw new SignalboxError(
              "gone",
              `positions ${entry.from} to ${entry.position} are past retention`,
            )
        }
      }
    } finally {
      unsubscribe()
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false
}

/**
 * Pulls the next stretch and releases it, also where it comes too late; undefined once the signal is
 * aborted. Each wait has a listener of its own, taken away with it: a race against one promise that
 * lasts as long as the stream would hold on to every stretch that ever won.
 */
async function pullUntilAborted(cursor: LogCursor, signal?: AbortSignal): Promise<Stretch | undefined> {
  if (isAborted(signal)) return undefined
  const { promise, resolve, reject } = Promise.withResolvers<Stretch | undefined>()
  const giveUp = () => resolve(undefined)
  signal?.addEventListener("abort", giveUp)
  cursor.pull().then((stretch) => {
    stretch.release()
    return resolve(stretch)
  }, reject)
  try {
    return await promise
  } finally {
    signal?.removeEventListener("abort", giveUp)
  }
}

import { SignalboxError } from "../core/errors.ts"
import type { Filter } from "../core/filter.ts"
import type { Log } from "../core/log.ts"
import type { Database } from "../store/database.ts"
import type { Hole } from "../store/log-pages.ts"
import type { Feed } from "./feed.ts"
import type { History } from "./history.ts"
import { createLogCursor, type LogCursor, type Stretch } from "./log-cursor.ts"
import { startingPoint } from "./starting-point.ts"
import type { FoundStreams, StreamDefinitions } from "./stream-definitions.ts"
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

/**
 * Events of streams, by names and patterns of names, as an async iterable, read at the pace at which they are
 * taken. Where a stream is changed it goes on with the new definition; where one that was named is removed
 * it throws `not_found`.
 */
export type StreamEvents = (
  topics: string | readonly string[],
  options: StreamEventsOptions,
) => AsyncGenerator<StreamedEvent, void>

export interface StreamEventsParts {
  database: Database
  feed: Feed
  history: History
  log: Log
  definitions: Pick<StreamDefinitions, "find" | "onHint">
}

/** A stream that heard of no change looks for one after so long all the same. */
const lookAgainMs = 5_000

/** Makes `streamEvents`. No more than one stretch of the log is held for each stream. */
export function createStreamEvents({
  database,
  feed,
  history,
  log,
  definitions,
}: StreamEventsParts): StreamEvents {
  /** The streams as they stand now; undefined where that cannot be read. Throws where one is no more. */
  async function lookAgain(tenant: string, topics: readonly string[]): Promise<FoundStreams | undefined> {
    try {
      return await definitions.find(tenant, topics)
    } catch (error) {
      if (error instanceof SignalboxError && !error.retryable) throw error
      log.warn({ err: error }, "the definition of a stream could not be looked at; it goes on as it was")
      return undefined
    }
  }

  return async function* streamEvents(names, { tenant, after = "latest", filter = {}, signal, onGap }) {
    const topics = typeof names === "string" ? [names] : names
    let found = await definitions.find(tenant, topics)
    const { start, floor } = await startingPoint(database, feed, after, found.retentionSeconds)
    const cursorBehind = (position: number): LogCursor => {
      const view = createView(tenant, [found.selection, filter])
      return createLogCursor({ feed, history, log, view, after: position, floor, whole: true })
    }
    let cursor = cursorBehind(start)
    let reached = start // all up to here has been handed out
    let setBack = false
    let hint = new AbortController()
    const unsubscribe = feed.subscribe({ advance: () => {}, setBack: () => (setBack = true) })
    const deafen = definitions.onHint((changed) => changed === tenant && hint.abort())
    let lookedAt = performance.now()
    try {
      while (!feed.stopped) {
        if (hint.signal.aborted || performance.now() - lookedAt > lookAgainMs) {
          hint = new AbortController()
          lookedAt = performance.now()
          found = (await lookAgain(tenant, topics)) ?? found
          cursor = cursorBehind(reached) // the one before may still be pulling what nobody will take
        }
        const stretch = await pullUntil(cursor, [signal, hint.signal])
        if (isAborted(signal)) return
        if (setBack) throw new SignalboxError("conflict", "the log was set back; begin the stream anew")
        if (stretch === undefined) continue
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
        reached = cursor.position
      }
    } finally {
      unsubscribe()
      deafen()
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false
}

/**
 * Pulls the next stretch and releases it, also where it comes too late; undefined once a signal is aborted, and
 * the cursor is of no use then. Each wait has a listener of its own, taken away with it: a race against one promise that
 * lasts as long as the stream would hold on to every stretch that ever won.
 */
async function pullUntil(
  cursor: LogCursor,
  signals: readonly (AbortSignal | undefined)[],
): Promise<Stretch | undefined> {
  if (signals.some(isAborted)) return undefined
  const { promise, resolve, reject } = Promise.withResolvers<Stretch | undefined>()
  const giveUp = () => resolve(undefined)
  for (const signal of signals) signal?.addEventListener("abort", giveUp)
  cursor.pull().then((stretch) => {
    stretch.release()
    return resolve(stretch)
  }, reject)
  try {
    return await promise
  } finally {
    for (const signal of signals) signal?.removeEventListener("abort", giveUp)
  }
}

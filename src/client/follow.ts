import { backoffMs, wait } from "./backoff.ts"
import { SignalboxClientError } from "./errors.ts"
import type { Gap, StreamItem } from "./event.ts"
import type { OptionNames } from "./known-options.ts"
import type { Connect, Cursor, Signal } from "./signals.ts"

/** What a stream tells of itself, beside its events. */
export interface FollowOptions {
  /** Position after which to begin, or a name for one (`latest`). */
  after?: Cursor | undefined
  /** Ends the stream without an error. */
  signal?: AbortSignal | undefined
  /** Told of positions that retention has dropped. Without it, the stream throws `gone` there. */
  onGap?: ((gap: Gap) => void) | undefined
  /** Told when a connection is open, with the position behind which it begins. */
  onOpen?: ((open: { position: number }) => void) | undefined
  /** Told when a connection was lost or refused for now, and when the next try is. */
  onRetry?: ((retry: Retry) => void) | undefined
  /** Told of positions that the stream has come to without an event: those that its filter left out. */
  onPosition?: ((position: number) => void) | undefined
  /** Told what an operator of the hub says to its clients (`POST /api/v1/connections/broadcast`). */
  onBroadcast?: ((data: unknown) => void) | undefined
}

export const followOptionNames = {
  after: true,
  signal: true,
  onGap: true,
  onOpen: true,
  onRetry: true,
  onPosition: true,
  onBroadcast: true,
} satisfies OptionNames<FollowOptions>

export interface Retry {
  /** Tries in a row that came to nothing; 1 right after a connection was lost. */
  attempt: number
  /** Milliseconds until the next one. */
  delayMs: number
  error: SignalboxClientError
  /** Where it will go on; null where no connection has been open yet. */
  position: number | null
}

/** Events in the order of their positions, each once, over as many connections as it takes. */
export interface EventStream extends AsyncIterableIterator<StreamItem, void> {
  /** What to give as `after` to go on from here; null until the first connection is open. */
  readonly position: number | null
  /** Ends it, also while an event is awaited. */
  return(): Promise<IteratorResult<StreamItem, void>>
  [Symbol.asyncDispose](): Promise<void>
}

/** Follows a stream: connects when its first event is asked for, and again whenever the connection is lost. */
export function follow(connect: Connect, options: FollowOptions): EventStream {
  const { signal: outer, onGap, onOpen, onRetry, onPosition, onBroadcast } = options
  const ending = new AbortController()
  const { signal } = ending
  const end = (): void => ending.abort()
  let cursor: Cursor = options.after ?? "latest"
  let askedMs = 0
  let failures = 0

  async function* run(): AsyncGenerator<StreamItem, void> {
    if (outer?.aborted) return
    outer?.addEventListener("abort", end)
    try {
      while (!signal.aborted) {
        const error = yield* readConnection()
        if (signal.aborted) return
        failures++
        const delayMs = backoffMs(failures, error.retryAfterMs ?? askedMs)
        onRetry?.({ attempt: failures, delayMs, error, position: positionOf(cursor) })
        await wait(delayMs, signal)
      }
    } finally {
      outer?.removeEventListener("abort", end)
    }
  }

  /** Hands out what one connection brings; answers why it ended, or throws where no other would do better. */
  async function* readConnection(): AsyncGenerator<StreamItem, SignalboxClientError> {
    const connection = connect(cursor, signal)
    let open = false
    let why = ended
    try {
      for (;;) {
        const next = await nextOf(connection)
        if (next === ended) return why
        if (next instanceof SignalboxClientError) return next
        if (next.kind === "end") {
          // By the time it is back the log may have come past the cursor again, with other events.
          if (next.reason === "log_set_back" && positionOf(cursor) !== null) throw setBack(next.detail)
          why = endedBecause(next.detail)
          continue
        }
        if (!open && "position" in next) {
          open = true
          failures = 0
          onOpen?.({
            position: next.kind === "position" ? next.position : (positionOf(cursor) ?? next.position),
          })
        }
        const item = take(next)
        if (item !== undefined) yield item
        if (signal.aborted) return ended
      }
    } finally {
      await connection.return()
    }
  }

  async function nextOf(connection: AsyncGenerator<Signal, void>): Promise<Signal | SignalboxClientError> {
    try {
      const { value } = await connection.next()
      return value ?? ended
    } catch (error) {
      if (signal.aborted) return ended
      // A function that has never given a token is a mistake sooner than a service that is away.
      const isMistake =
        error instanceof SignalboxClientError && error.code === "no_token" && positionOf(cursor) === null
      if (error instanceof SignalboxClientError && error.retryable && !isMistake) return error
      throw error
    }
  }

  /** Moves the cursor; answers an event that is new. Throws for a gap that nobody wants to hear of. */
  function take(next: Exclude<Signal, { kind: "end" }>): StreamItem | undefined {
    if (next.kind === "retry") {
      askedMs = next.ms
      return undefined
    }
    if (next.kind === "broadcast") {
      onBroadcast?.(JSON.parse(next.json))
      return undefined
    }
    const { position } = next
    const before = positionOf(cursor)
    const isNew = before === null || position > before
    if (next.kind === "position" || !isNew) {
      if (isNew) {
        cursor = position
        onPosition?.(position)
      }
      return undefined
    }
    if (next.kind === "gap") {
      const gap = { from: before === null ? next.from : Math.max(next.from, before + 1), to: position }
      if (onGap === undefined) throw pastRetention(gap)
      onGap(gap)
      cursor = position
      return undefined
    }
    const event = parseEvent(next)
    cursor = position
    return { position, event, json: next.json }
  }

  const events = run()
  return {
    get position() {
      return positionOf(cursor)
    },
    next: () => events.next(),
    return: () => {
      end()
      return events.return()
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      end()
      await events.return()
    },
  }
}

const ended = new SignalboxClientError("unreachable", "the hub ended the connection")

function endedBecause(detail: string): SignalboxClientError {
  return new SignalboxClientError("unreachable", `the hub ended the connection: ${detail}`)
}

function setBack(detail: string): SignalboxClientError {
  return new SignalboxClientError("conflict", detail, { status: 409 })
}

function positionOf(cursor: Cursor): number | null {
  return typeof cursor === "number" ? cursor : null
}

function pastRetention({ from, to }: Gap): SignalboxClientError {
  return new SignalboxClientError(
    "gone",
    `positions ${from} to ${to} are past retention: give onGap to be told and go on, or begin after ${to}`,
    { status: 410 },
  )
}

function parseEvent({ position, json }: { position: number; json: string }): StreamItem["event"] {
  try {
    const event: StreamItem["event"] = JSON.parse(json)
    return event
  } catch (cause) {
    throw new SignalboxClientError("not_signalbox", `what came at position ${position} is no event`, {
      cause,
    })
  }
}

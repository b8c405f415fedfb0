import type { Gap } from "../consumers/definition.ts"
import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { StartFrom } from "../store/consumers.ts"
import type { RetryPolicy } from "../consumers/retry-policy.ts"

/** An event as handlers get it: the whole envelope, and the body parsed. */
export interface HandlerEvent<Payload = unknown> extends Readonly<LoggedEvent> {
  readonly payload: Payload
}

/** A new event as a handler submits it; its fields are those of `POST /api/v1/events`. */
export interface SubmittedEvent {
  /** Two or more segments of one's own: `review.reminder.due`. */
  type: string
  payload?: unknown
  entity?: string
  title?: string
  [field: string]: unknown
}

/** What a handler gets besides its event. */
export interface HandlerContext {
  /** The handler's name: the identity under which its progress is kept. */
  handler: string
  /** 1 for the first attempt. */
  attempt: number
  /** Whether a replay hands on an event of the past, so that what should happen once can be held back. */
  replay: boolean
  /** That replay; null for an event that came by itself. */
  replayId: string | null
  /** Aborted when the time of the run is up, when the hub stops, or when another process took over. */
  signal: AbortSignal
  /** Carries the handler, the event and the attempt on every line. */
  log: Log
  /**
   * Submits a new event, caused by this one. Repeated by a later attempt with the same content it is
   * the same event. Refused where events have led to each other 16 times already: that is a loop.
   */
  submit(event: SubmittedEvent): Promise<{ eventId: string; duplicate: boolean }>
}

/**
 * Handles an event. What it answers is kept as the delivery's result, what it throws brings another
 * attempt later. It runs at least once for each event: a crash may repeat it.
 */
export type Handler<Payload = unknown> = (event: HandlerEvent<Payload>, context: HandlerContext) => unknown

/**
 * A handler whatever its payload. Declared as a method, whose parameters the compiler lets narrow: that
 * a payload is what its sender documents is believed, not checked.
 */
export type AnyHandler = { run(event: HandlerEvent, context: HandlerContext): unknown }["run"]

export interface HandlerOptions {
  /**
   * Its identity, kept over restarts: a handler of another name is a new one, which begins at the log's
   * newest event. Without one it is made of what it is registered for and the function's name
   * (`github/push/deploy`), numbered where that repeats; so a function without a name, or one that is
   * to be renamed or moved, should have one.
   */
  name?: string
  /** Whose events (`default`); `*` for every tenant's. */
  tenant?: string
  /** Where it begins when it is new (`head`). */
  from?: StartFrom
  /** Shares by entity, which run side by side and may be spread over as many processes (4). */
  partitions?: number
  /** Runs at the same time within a share, of different entities (1). */
  concurrency?: number
  /** 5 attempts, 1 s to 60 s apart, where it says nothing else. */
  retry?: Partial<RetryPolicy>
  /** Time for a run in milliseconds (30,000). */
  timeoutMs?: number
  /**
   * Told of positions that retention has dropped before the handler came to them, by each share that missed
   * them, before it gets anything behind them, and at least once. What it throws is logged, as is that it takes
   * longer than `timeoutMs`, and it is told again until it does not. Without it, the log alone has them.
   */
  onGap?: ((gap: Gap) => unknown) | undefined
}

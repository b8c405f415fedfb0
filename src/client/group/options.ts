import type { ClientEvent } from "../event.ts"
import type { SignalboxClientError } from "../errors.ts"
import type { OptionNames } from "../known-options.ts"

/** An event of a group, with its place in the log. */
export type GroupEvent = ClientEvent & { readonly position: number }

/** What a run is told besides its event. */
export interface GroupContext {
  partition: number
  /** 1 for the first attempt of this member at it; of a replayed event, of all members. */
  attempt: number
  /** Whether a replay hands it on: what must not happen twice is to be left then. */
  replay: boolean
  /** The replay; null where there is none. */
  replayId: string | null
  /** Aborted when the partition has gone to another member: what is done now is done there too. */
  signal: AbortSignal
}

/** Handles an event; it is committed once this has resolved, and tried again when it rejects. */
export type HandleGroupEvent = (event: GroupEvent, context: GroupContext) => unknown

/** Positions of a partition that retention has dropped, both ends included. */
export interface GroupGap {
  partition: number
  from: number
  to: number
}

/** How a member of a group works. */
export interface GroupOptions {
  /** What the member calls itself where the group is shown. */
  name?: string | undefined
  /** Events fetched at a time; of one partition no more than twice as many are held in memory (1 to 1,000; 100). */
  batch?: number | undefined
  /** Least milliseconds between two commits (50). */
  commitEveryMs?: number | undefined
  /**
   * Whether the run also handles what replays hand to the group, in this member's partitions (false: it waits for a
   * member that does). It takes turns with what is new, and no commit speaks of it. Where its handler rejects and
   * `onError` says `retry`, the hub hands it out again later; after five attempts it is a dead letter.
   */
  replays?: boolean | undefined
  /** Ends the run: what is under way is finished and committed, and the partitions go to others at once. */
  signal?: AbortSignal | undefined
  /**
   * What to do about an event whose handler rejects: `retry` (with growing pauses, while the events behind it in its
   * partition wait), `skip` it, or `stop` the run, which then rejects. Always `retry` where it is absent.
   */
  onError?: ((error: unknown, event: GroupEvent, attempt: number) => "retry" | "skip" | "stop") | undefined
  /** Told of positions that retention has dropped. Without it, the run rejects with `gone` there. */
  onGap?: ((gap: GroupGap) => void) | undefined
  /** Told which partitions are this member's whenever that changes. */
  onAssignment?: ((partitions: number[]) => void) | undefined
  /** Told when the hub could not be reached, or has ended the membership, and it tries again. */
  onRetry?: ((error: SignalboxClientError) => void) | undefined
}

export const groupOptionNames = {
  name: true,
  batch: true,
  commitEveryMs: true,
  replays: true,
  signal: true,
  onError: true,
  onGap: true,
  onAssignment: true,
  onRetry: true,
} satisfies OptionNames<GroupOptions>

import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { ConsumerKind, StartFrom } from "../store/consumers.ts"
import type { Hole } from "../store/log-pages.ts"
import type { MayWant } from "./log-window.ts"
import type { RetryPolicy } from "./retry-policy.ts"

/** Takes the events of every tenant; for what the operator of the hub runs, never for a tenant's own. */
export const everyTenant = "*"

/** What a run is told besides its event. */
export interface RunContext {
  /** The consumer that runs. */
  consumer: string
  /** 1 for the first attempt. */
  attempt: number
  /** The replay that hands the event on; null for one that came by itself. */
  replayId: string | null
  /** Aborted when the time of the run is up, when the hub stops, or when the lease is lost. */
  signal: AbortSignal
  /** Carries the consumer, the event and the attempt on every line. */
  log: Log
}

/** Positions of the log, both ends included, that retention has dropped before a consumer came to them. */
export interface Gap extends Hole {
  /** The share of the consumer that has missed them: each comes to a gap by itself. */
  partition: number
}

/** What all consumers have. */
export interface ConsumerTraits {
  /** Its identity within the tenant: cursors and retries belong to this name. */
  name: string
  kind: ConsumerKind
  /** Whose events it takes; `everyTenant` for all. */
  tenant: string
  /** The stream it stands on, and what it takes of that; both are kept for whoever looks. */
  stream: string
  filter?: Readonly<Record<string, unknown>>
  /** Whether it wants an event. One that throws counts as a failed attempt at that event. */
  matches: (event: LoggedEvent) => boolean
  /** What `matches` can tell from a head alone: where this says no, it must as well. Must not throw. */
  mayWant?: MayWant
  /** Shares into which events are dealt by entity; within one their order is kept (1). */
  partitions?: number
  /** Runs at the same time within a partition; events of one entity still follow each other (1). */
  concurrency?: number
  /** Where it begins when it is new (`head`). */
  from?: StartFrom
  retry?: Partial<RetryPolicy>
}

/** Something that runs once for each event it wants, durably: a handler, a callback, a group. */
export interface ConsumerDefinition extends ConsumerTraits {
  /**
   * Does the work. What it answers is kept as the delivery's result if it is JSON of 64 KB at most;
   * what it throws is a failure, final where that is a SignalboxError of a 4xx status that is not
   * retryable. Runs at least once for each event: after a crash what had not been written runs again.
   */
  run: (event: LoggedEvent, context: RunContext) => unknown
  /**
   * Told of a gap, before anything behind it runs and at least once: what it throws is logged, and it is
   * told again until it does not, after longer and longer pauses (5 s at most). It has as long as a run.
   */
  onGap?: ((gap: Gap) => unknown) | undefined
  /** After so long a run counts as failed (30,000). */
  timeoutMs?: number
}

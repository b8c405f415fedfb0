/** How a reconciler goes about its work; whatever is left out is as said here. */
export interface ReconcileOptions {
  /** Milliseconds from the end of a sweep to the next one (5 minutes). */
  everyMs?: number
  /** What is younger than so many milliseconds may still be on its way, and is not judged (60 s). */
  settleMs?: number
  /** Milliseconds by which a window reaches into the one before it (5 minutes). */
  overlapMs?: number
  /** How far back the first sweep of a source looks at most, in milliseconds (3 days, what GitHub can send again). */
  horizonMs?: number
  /** Milliseconds for which a delivery that was asked for again is waited for (30 s). */
  patienceMs?: number
  /** How often a delivery is asked for again before it is copied (3). */
  attempts?: number
  /** Milliseconds between two requests for a delivery (500; GitHub counts each fivefold). */
  spacingMs?: number
  /** Calls, or submissions, at the same time for one source (4). */
  atOnce?: number
  /** Milliseconds for which a page of a sweep is waited for (2 minutes). */
  pageTimeoutMs?: number
  /** Milliseconds for which any other call is waited for (60 s). */
  callTimeoutMs?: number
  /** Milliseconds for which events that came in are given time to be processed (60 s). */
  processingMs?: number
  /** Milliseconds after which the source of a process that is gone is taken over (60 s). */
  leaseMs?: number
  /** Milliseconds after which a long sweep is put down for other sources to have their turn (10 minutes). */
  turnMs?: number
  /** Milliseconds after a failure that only an operator can mend (15 minutes), and the longest after any other. */
  retryMs?: number
}

const defaults: Required<ReconcileOptions> = {
  everyMs: 5 * 60_000,
  settleMs: 60_000,
  overlapMs: 5 * 60_000,
  horizonMs: 3 * 86_400_000,
  patienceMs: 30_000,
  attempts: 3,
  spacingMs: 500,
  atOnce: 4,
  pageTimeoutMs: 120_000,
  callTimeoutMs: 60_000,
  processingMs: 60_000,
  leaseMs: 60_000,
  turnMs: 10 * 60_000,
  retryMs: 15 * 60_000,
}

/** The options with what was left out. */
export function withDefaults(options: ReconcileOptions = {}): Required<ReconcileOptions> {
  return { ...defaults, ...options }
}

/** What the groups bench asks of the process with the members, ours or the textbook's; each is answered by one message. */
export type MembersRequest =
  /** Starts so many members; answered once each can take events. */
  | { ask: "start"; members: number; url: string; key: string; databaseUrl: string }
  /** Counts from now on; answered once so many events were handled. */
  | { ask: "count"; events: number }
  /** Event n is due at `startNs + n * intervalMs` (CLOCK_MONOTONIC); answered once it listens, and with latencies at the end. */
  | { ask: "measure"; startNs: string; intervalMs: number; events: number; deadlineMs: number }
  /** Ends the members. */
  | { ask: "stop" }

/** Name of the group that ours work as. */
export const benchGroup = "bench"

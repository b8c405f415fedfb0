/** What a connection says, whatever its transport. */
export type Signal =
  /** Everything up to here has been said, or is not for this stream. */
  | { kind: "position"; position: number }
  | { kind: "event"; position: number; json: string }
  | { kind: "gap"; from: number; position: number }
  /** What an operator of the hub says to its clients. */
  | { kind: "broadcast"; json: string }
  /** Why the hub is about to end the connection. */
  | { kind: "end"; reason: string; detail: string }
  /** Not to come back before so many milliseconds, whenever the connection ends. */
  | { kind: "retry"; ms: number }

/** Where a stream goes on. */
export type Cursor = number | "earliest" | "latest"

/**
 * Opens a connection and hands out what it says. Ends where the hub ends it; throws a `SignalboxClientError`,
 * which is final unless it is retryable.
 */
export type Connect = (cursor: Cursor, signal: AbortSignal) => AsyncGenerator<Signal, void>

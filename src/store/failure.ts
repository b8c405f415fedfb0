import { DatabaseError } from "pg"
import { SignalboxError } from "../core/errors.ts"

/**
 * What a failed statement means for whoever sent it:
 * - `away`: no answer from the server, or one that it cannot serve now; whether a COMMIT took hold is unknown.
 * - `contention`: rolled back for another transaction's sake (deadlock, serialization); it may succeed as it is.
 * - `repeat`: a unique key is taken.
 * - `data`: a value that the database refuses; the same rows will never succeed.
 * - `other`: a fault of ours or of the schema.
 */
export type Failure = "away" | "contention" | "repeat" | "data" | "other"

// SQLSTATE classes: 08 connection, 53 insufficient resources, 57 operator intervention (shutdown,
// starting up), 22 data exception, 23 integrity constraint, 54 program limit exceeded.
const byClass: Readonly<Record<string, Failure>> = {
  "08": "away",
  "53": "away",
  "57": "away",
  "22": "data",
  "23": "data",
  "54": "data",
}

const byState: Readonly<Record<string, Failure>> = {
  "23505": "repeat",
  "40001": "contention",
  "40P01": "contention",
  "55P03": "contention", // lock not available
  "25006": "away", // read-only: a standby that is not promoted yet
}

/**
 * Sorts an error of a query or a connect by its SQLSTATE. One that has none came from the
 * connection (pg gives those no code of their own), unless it is a programming error.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof DatabaseError) {
    const state = error.code ?? ""
    return byState[state] ?? byClass[state.slice(0, 2)] ?? "other"
  }
  const fault = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
  return fault ? "other" : "away"
}

// SQLSTATE query_canceled: its time was up, or an administrator ended it.
const canceled = "57014"

/** The answer to a client while the server is away, or where it gave a statement up. */
export function unavailable(cause: unknown): SignalboxError {
  if (cause instanceof DatabaseError && cause.code === canceled) {
    const message = "reading this took longer than it may: ask for a shorter range, or for less at once"
    return new SignalboxError("unavailable", message, { cause, retryable: false })
  }
  return new SignalboxError("unavailable", "the database does not answer", { cause, retryAfter: 2 })
}

/** Turns the absence of the server into `unavailable`; to be put around nothing but queries. */
export async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof SignalboxError || failureOf(error) !== "away") throw error
    throw unavailable(error)
  }
}

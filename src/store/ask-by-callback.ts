import type { ClientBase, Connection, QueryResult } from "pg"
import { longestMs } from "./statement-time.ts"

/** How pg tells a query's outcome; its error is null, or undefined, where there is none. */
export type Answer = (error: Error | null | undefined, result: QueryResult) => void

type AnyQuery = (config: unknown, values: unknown, answer?: Answer) => unknown

/**
 * Makes the promises and the time limits of a connection's queries here rather than in pg. There each is a
 * closure that is assigned to a property of the query, and V8 (Node 24) allocates a function literal
 * that is assigned to a property in old space. Each of them then keeps its query and all rows of the answer,
 * long after both are done with, until the whole heap is marked; the collections in between copy
 * these megabytes rather than drop them, 10 to 17 ms each instead of 1. Here they are passed as arguments.
 *
 * A query without an answer within `timeoutMs` breaks its connection, but for those that bring no callback and tell
 * their outcome themselves.
 */
export function askByCallback(client: ClientBase, timeoutMs?: number): void {
  const query: AnyQuery = client.query.bind(client)

  function withinTime(config: unknown, values: unknown, answer: Answer): unknown {
    if (timeoutMs === undefined) return query(config, values, answer)
    const ms = longestMs(client, timeoutMs)
    const timer = setTimeout(breakConnection, ms, client, ms)
    try {
      return query(config, values, (error, result) => {
        clearTimeout(timer)
        answer(error, result)
      })
    } catch (error) {
      clearTimeout(timer) // it was never asked
      throw error
    }
  }

  function ask(config: unknown, values: unknown, answer?: Answer): unknown {
    if (isAnswer(values)) return withinTime(config, undefined, values)
    if (answer !== undefined) return withinTime(config, values, answer)
    if (isOwnQuery(config)) return query(config, values)
    return new Promise<QueryResult>((resolve, reject) => {
      withinTime(config, values, (error, result) => (error ? reject(error) : resolve(result)))
    }).catch((error: Error) => {
      Error.captureStackTrace(error) // leads to who asked, not to the socket
      throw error
    })
  }
  Object.assign(client, { query: ask })
}

/** Every query that waits on it fails with this, as it does when the server is gone. */
function breakConnection(client: ClientBase & { connection?: Connection }, timeoutMs: number): void {
  client.connection?.stream.destroy(new Error(`PostgreSQL gave no answer within ${timeoutMs} ms`))
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "function"
}

function isOwnQuery(config: unknown): boolean {
  return typeof config === "object" && config !== null && "submit" in config
}

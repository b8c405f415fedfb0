import type pg from "pg"
import type { Db } from "../store/database.ts"

/** A statement in the transaction that fails it unless this worker still holds what it works on. */
export type Fence = (db: Db) => Promise<void>

/**
 * A transaction in two round trips on a pipelining connection: `first` and the fence are sent
 * together; if all of it holds, `last` and the COMMIT follow together, so that a lock taken in `last`
 * is never held while this process thinks. Rolls back and throws where anything fails.
 */
export async function fencedTransaction<T>(
  pool: pg.Pool,
  fence: Fence,
  first: (db: Db) => Promise<T>,
  last: (db: Db) => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const client = await pool.connect()
  let open = true
  let broken: Error | undefined
  // A statement that comes late, after the ROLLBACK, would stand alone and take hold.
  const guarded: Db & { pipeline: true } = {
    pipeline: true,
    query: (query, values) => (open ? client.query(query, values) : Promise.reject(new Error("too late"))),
  }
  try {
    const [, result] = await Promise.all([client.query("begin"), first(guarded), fence(guarded)])
    await Promise.all([last(guarded), client.query("commit")])
    return result
  } catch (error) {
    open = false
    await client.query("rollback").catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

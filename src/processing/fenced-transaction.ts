import type pg from "pg"
import type { Db } from "../store/database.ts"

/** A statement in the transaction that fails it unless this worker still holds what it works on. */
export type Fence = (db: Db) => Promise<void>

/** The fence of work that nobody else can take over. */
export const unfenced: Fence = () => Promise.resolve()

/**
 * A transaction in two round trips on a pipelining connection: `first` and the fence are sent
 * together; if all of it holds, `last` and the COMMIT follow together, so that a lock taken in `last`
 * is never held while this process thinks. So `last` must send all that it has before it awaits
 * anything; its statements are held until it has, and where it throws meanwhile neither they nor the
 * COMMIT are sent. Rolls back and throws where anything fails.
 */
export async function fencedTransaction<T>(
  pool: pg.Pool,
  fence: Fence,
  first: (db: Db) => Promise<T>,
  last: (db: Db) => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const client = await pool.connect()
  let open = true
  let cause: unknown
  let broken: Error | undefined
  const guarded: Db & { pipeline: true } = {
    pipeline: true,
    query: (query, values) => {
      // A statement that comes late, after the ROLLBACK, would stand alone and take hold.
      if (!open) return Promise.reject(new Error("the transaction is over"))
      return client.query(query, values).catch((error: unknown) => {
        cause ??= error // what follows fails for the failure before it, and may be noticed sooner
        throw error
      })
    },
  }
  const held: (() => void)[] = []
  const holding: Db & { pipeline: true } = {
    pipeline: true,
    query<Row extends pg.QueryResultRow>(query: string | pg.QueryConfig, values?: unknown[]) {
      if (!open) return Promise.reject(new Error("the transaction is over"))
      return new Promise<pg.QueryResult<Row>>((resolve, reject) => {
        held.push(() => void guarded.query<Row>(query, values).then(resolve, reject))
      })
    },
  }
  try {
    const [, result] = await Promise.all([client.query("begin"), first(guarded), fence(guarded)])
    const ending = last(holding)
    await Promise.race([ending, allTicks()]) // throws what went wrong while the statements were put together
    for (const send of held) send()
    open = false
    await Promise.all([ending, client.query("commit")])
    return result
  } catch (error) {
    open = false
    await client.query("rollback").catch((failure: Error) => {
      broken = failure
    })
    throw cause ?? error
  } finally {
    client.release(broken)
  }
}

/** Resolves once everything that needs nothing from outside has gone as far as it can. */
function allTicks(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

import type pg from "pg"

/** When a run dies: after so many statements, the last of them carried out or not. */
export interface Death {
  after: number
  lastIsDone: boolean
}

const killed = "this process was killed"

/**
 * A pool as a process has it that is killed: from its death on no statement is sent, not even a
 * rollback, and what was open is undone by the server.
 */
export function mortalPool(
  pool: pg.Pool,
  { after, lastIsDone }: Death,
): { pool: pg.Pool; isDead(): boolean } {
  let left = after
  async function live<T>(query: () => Promise<T>): Promise<T> {
    if (left <= 0) throw new Error(killed)
    left--
    if (left > 0) return query()
    if (lastIsDone) await query()
    throw new Error(killed)
  }
  const mortal = {
    query: (text: string, values?: unknown[]) => live(() => pool.query(text, values)),
    connect: async () => {
      if (left <= 0) throw new Error(killed)
      const client = await pool.connect()
      return {
        query: (text: string, values?: unknown[]) => live(() => client.query(text, values)),
        release: () => client.release(left <= 0),
      }
    },
  }
  return { pool: mortal as unknown as pg.Pool, isDead: () => left <= 0 }
}

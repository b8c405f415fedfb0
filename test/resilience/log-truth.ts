import type { Pool } from "pg"
import type { Gap } from "../../src/client/index.ts"

/** What the log holds, or held. */
export interface LogTruth {
  /** Every event, in the order of the positions. */
  events: readonly { position: number; id: string; type: string; entity: string | null }[]
  /** Positions that retention has dropped. */
  retired: ReadonlySet<number>
}

/** Keeps the truth of a log while retention passes over it. */
export interface TruthKeeper {
  /** Drops what retention would: everything up to a position, but for one in ten that came late. */
  retire(upTo: number): Promise<Gap[]>
  read(): Promise<LogTruth>
}

/** Makes the keeper. */
export function createTruthKeeper(pool: Pool): TruthKeeper {
  const dropped: LogTruth["events"][number][] = []

  async function stored(): Promise<LogTruth["events"]> {
    const { rows } = await pool.query<LogTruth["events"][number]>(
      "select position, event_id as id, type, entity from event_log order by position",
    )
    return rows
  }

  return {
    retire: async (upTo) => {
      const leaving = (await stored()).filter(({ position }) => position <= upTo && position % 10 !== 0)
      const ids = leaving.map(({ id }) => id)
      await pool.query("delete from event_log where event_id = any($1::uuid[])", [ids])
      await pool.query("delete from events where id = any($1::uuid[])", [ids])
      dropped.push(...leaving)
      return leaving.map(({ position }) => ({ from: position, to: position }))
    },
    read: async () => ({
      events: [...dropped, ...(await stored())].toSorted((a, b) => a.position - b.position),
      retired: new Set(dropped.map(({ position }) => position)),
    }),
  }
}

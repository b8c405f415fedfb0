import type { Db } from "./database.ts"
import type { Hole } from "./log-pages.ts"

/**
 * The first positions past `after`, up to `upTo` at most, that retention has dropped; undefined where none
 * has been. Counts index entries, so that a stretch of 100,000 takes some 10 ms.
 */
export async function firstHole(db: Db, after: number, upTo: number): Promise<Hole | undefined> {
  const { rows: counted } = await db.query<{ found: number }>(
    "select count(*) as found from event_log where position > $1 and position <= $2",
    [after, upTo],
  )
  if (counted[0]?.found === upTo - after) return undefined
  const { rows } = await db.query<Hole>(
    `select previous + 1 as "from", position - 1 as "to"
     from (
       select position, lag(position, 1, $1::bigint) over (order by position) as previous
       from (
         select position from event_log where position > $1 and position <= $2
         union all
         -- what stands behind the stretch, for a hole that reaches to its end or beyond
         select coalesce((select min(position) from event_log where position > $2),
           (select position + 1 from event_log_head))
       ) l
     ) l
     where previous < position - 1 and previous < $2
     order by position limit 1`,
    [after, upTo],
  )
  return rows[0]
}

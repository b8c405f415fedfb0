import type { Db } from "./database.ts"

/** Which events of the log, of all tenants where none is named. Both times are of receipt, `until` excluded. */
export interface LogSelection {
  tenant?: string | undefined
  platform?: string | undefined
  /** An entity that the events are about or refer to; a key means another thing in another tenant. */
  about?: { tenant: string; entity: string } | undefined
  since?: Date | undefined
  until?: Date | undefined
  /** The last position that belongs to it. */
  upTo: number
}

/** A place in the log. */
export interface LogPlace {
  position: number
  id: string
}

/** The places that follow a position, in order, at most `limit`. */
export async function placesAfter(
  db: Db,
  selection: LogSelection,
  after: number,
  limit: number,
): Promise<LogPlace[]> {
  const { conditions, values } = conditionsOf(selection, after)
  const { rows } = await db.query<LogPlace>(
    `select l.position, l.event_id as id from event_log l where ${conditions} order by l.position limit ${limit}`,
    values,
  )
  return rows
}

/** How many events follow a position. */
export async function countAfter(db: Db, selection: LogSelection, after: number): Promise<number> {
  const { conditions, values } = conditionsOf(selection, after)
  const { rows } = await db.query<{ events: number }>(
    `select count(*) as events from event_log l where ${conditions}`,
    values,
  )
  return rows[0]?.events ?? 0
}

function conditionsOf(
  { tenant, platform, about, since, until, upTo }: LogSelection,
  after: number,
): { conditions: string; values: unknown[] } {
  const values: unknown[] = [after, upTo]
  const conditions = ["l.position > $1", "l.position <= $2"]
  const where = (condition: (parameter: string) => string, value: unknown): void => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  where((p) => `l.tenant = ${p}`, tenant)
  where((p) => `l.platform = ${p}`, platform)
  where((p) => `l.tenant = ${p}`, about?.tenant)
  where(
    (p) => `l.event_id in (
      select event_id from event_log where tenant = $${values.length - 1} and entity = ${p}
      union all select event_id from event_references where tenant = $${values.length - 1} and entity = ${p})`,
    about?.entity,
  )
  where((p) => `l.event_id >= uuidv7_lower_bound(${p}::timestamptz)`, since?.toISOString())
  where((p) => `l.event_id < uuidv7_lower_bound(${p}::timestamptz)`, until?.toISOString())
  return { conditions: conditions.join(" and "), values }
}

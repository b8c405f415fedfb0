import type { Db } from "./database.ts"

/** A named view of the log. Its filter is as it was stored: for `parseFilter` to read. */
export interface StreamRow {
  tenant: string
  name: string
  filter: unknown
  builtIn: boolean
}

/** The stream of this name that `tenant` sees: its own, else the built-in one. */
export async function findStream(db: Db, tenant: string, name: string): Promise<StreamRow | undefined> {
  const { rows } = await db.query<StreamRow>(
    `select tenant, name, filter, built_in as "builtIn"
     from event_streams
     where name = $2 and (tenant = $1 or built_in)
     order by tenant = $1 desc
     limit 1`,
    [tenant, name],
  )
  return rows[0]
}

/** All streams that `tenant` sees, built-in ones first; its own hide built-in ones of the same name. */
export async function listStreams(db: Db, tenant: string): Promise<StreamRow[]> {
  const { rows } = await db.query<StreamRow>(
    `select * from (
       select distinct on (name) tenant, name, filter, built_in as "builtIn"
       from event_streams where tenant = $1 or built_in
       order by name, tenant = $1 desc
     ) visible
     order by "builtIn" desc, name`,
    [tenant],
  )
  return rows
}

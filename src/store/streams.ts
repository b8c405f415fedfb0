import type { StoredStream } from "../core/stream-definition.ts"
import type { Db } from "./database.ts"

/** A named view of the log. What it shows is as it was stored: for `streamSelection` to read. */
export interface StreamRow extends StoredStream {
  tenant: string
  name: string
  /** How far back it is read; null for as far as the log goes. */
  retentionSeconds: number | null
  /** Of consumer groups on it that do not say; null for as many as groups have. */
  partitions: number | null
  builtIn: boolean
}

/** What may be said of a stream besides its name. */
export type StreamSettings = Omit<StreamRow, "tenant" | "name" | "builtIn">

const columns = `tenant, name, filter, routes, retention_seconds as "retentionSeconds", partitions,
  built_in as "builtIn"`

/** The stream of this name that `tenant` sees: its own, else the built-in one. */
export async function findStream(db: Db, tenant: string, name: string): Promise<StreamRow | undefined> {
  const { rows } = await db.query<StreamRow>(
    `select ${columns}
     from event_streams
     where name = $2 and (tenant = $1 or built_in)
     order by tenant = $1 desc
     limit 1`,
    [tenant, name],
  )
  return rows[0]
}

/** All streams that these tenants see, built-in ones first; those of one of them hide built-in ones of the same name. */
export async function listStreams(db: Db, tenants: readonly string[]): Promise<StreamRow[]> {
  const { rows } = await db.query<StreamRow>(
    `select * from (
       select distinct on (t.tenant, s.name) t.tenant, s.name, s.filter, s.routes,
         s.retention_seconds as "retentionSeconds", s.partitions, s.built_in as "builtIn"
       from unnest($1::text[]) t (tenant)
       join event_streams s on s.tenant = t.tenant or s.built_in
       order by t.tenant, s.name, s.tenant = t.tenant desc
     ) visible
     order by tenant, "builtIn" desc, name`,
    [tenants],
  )
  return rows
}

/** Makes a stream; undefined where the tenant has one of this name, or it is a built-in one's. */
export async function insertStream(
  db: Db,
  tenant: string,
  name: string,
  { filter, routes, retentionSeconds, partitions }: StreamSettings,
): Promise<StreamRow | undefined> {
  const { rows } = await db.query<StreamRow>(
    `insert into event_streams (tenant, name, filter, routes, retention_seconds, partitions)
     select $1, $2, $3, $4, $5, $6 where not exists (select from event_streams where name = $2 and built_in)
     on conflict do nothing returning ${columns}`,
    [tenant, name, JSON.stringify(filter), jsonOrNull(routes), retentionSeconds, partitions],
  )
  return rows[0]
}

/** Changes what is given of a stream of the tenant's own; undefined where there is none. */
export async function updateStream(
  db: Db,
  tenant: string,
  name: string,
  change: Partial<StreamSettings>,
): Promise<StreamRow | undefined> {
  const values: unknown[] = [tenant, name]
  const changes: string[] = []
  const set = (column: string, value: unknown): void => {
    if (value === undefined) return
    values.push(value)
    changes.push(`${column} = $${values.length}`)
  }
  set("filter", change.filter === undefined ? undefined : JSON.stringify(change.filter))
  set("routes", change.routes === undefined ? undefined : jsonOrNull(change.routes))
  set("retention_seconds", change.retentionSeconds)
  set("partitions", change.partitions)
  const { rows } = await db.query<StreamRow>(
    `update event_streams set ${changes.join(", ")}
     where tenant = $1 and name = $2 and not built_in returning ${columns}`,
    values,
  )
  return rows[0]
}

/** Names of those that stand on a stream, handlers and subscriptions, a hundred at most. */
export async function consumersOfStream(db: Db, tenant: string, name: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    "select name from stream_subscriptions where tenant in ($1, '*') and stream = $2 order by name limit 100",
    [tenant, name],
  )
  return rows.map((row) => row.name)
}

/** Removes a stream of the tenant's own; false where there is none. */
export async function deleteStream(db: Db, tenant: string, name: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "delete from event_streams where tenant = $1 and name = $2 and not built_in",
    [tenant, name],
  )
  return rowCount === 1
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}

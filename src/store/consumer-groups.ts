import { SignalboxError } from "../core/errors.ts"
import { addPartitions, type StartFrom } from "./consumers.ts"
import type { Db } from "./database.ts"

/** What its owner says of a consumer group. */
export interface GroupSettings {
  name: string
  stream: string
  filter: Readonly<Record<string, unknown>>
  partitions: number
  /** A member that shows no sign of life for so long is dead. */
  sessionMs: number
  maxMembers: number
}

/** A consumer group as stored. */
export interface GroupRow extends GroupSettings {
  id: string
  tenant: string
  createdAt: Date
}

const columns = `s.id, s.tenant, s.name, s.stream, s.filter, s.partitions, s.created_at as "createdAt",
  g.session_ms as "sessionMs", g.max_members as "maxMembers"`
const table = "stream_subscriptions s join consumer_groups g using (id)"

/** Makes a group with its cursors; undefined where the tenant has a consumer of that name. */
export async function insertGroup(
  db: Db,
  tenant: string,
  { name, stream, filter, partitions, sessionMs, maxMembers }: GroupSettings,
  from: StartFrom,
): Promise<GroupRow | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `insert into stream_subscriptions (tenant, name, kind, stream, filter, partitions)
     values ($1, $2, 'group', $3, $4, $5) on conflict (tenant, name) do nothing returning id`,
    [tenant, name, stream, JSON.stringify(filter), partitions],
  )
  const id = rows[0]?.id
  if (id === undefined) return undefined
  await addPartitions(db, id, { partitions, from })
  await db.query(
    "insert into consumer_groups (id, tenant, session_ms, max_members) values ($1, $2, $3, $4)",
    [id, tenant, sessionMs, maxMembers],
  )
  return findGroup(db, tenant, name)
}

/** A tenant's group by its name; undefined where there is none. */
export async function findGroup(db: Db, tenant: string, name: string): Promise<GroupRow | undefined> {
  const { rows } = await db.query<GroupRow>({
    name: "find_group",
    text: `select ${columns} from ${table} where s.tenant = $1 and s.name = $2`,
    values: [tenant, name],
  })
  return rows[0]
}

/** Groups of a tenant by name. */
export async function listGroups(
  db: Db,
  tenant: string,
  { limit, after }: { limit: number; after: string | null },
): Promise<GroupRow[]> {
  const { rows } = await db.query<GroupRow>(
    `select ${columns} from ${table} where s.tenant = $1 and ($3::text is null or s.name > $3)
     order by s.name limit $2`,
    [tenant, limit, after],
  )
  return rows
}

/** Deletes a group with its cursors and its members, in the caller's transaction; throws `not_found`. */
export async function deleteGroup(db: Db, tenant: string, name: string): Promise<void> {
  const { rows } = await db.query<{ id: string }>(
    "delete from stream_subscriptions where tenant = $1 and name = $2 and kind = 'group' returning id",
    [tenant, name],
  )
  if (rows[0] === undefined) throw noSuchGroup(name)
  await db.query("delete from consumer_members where subscriptions = array[$1::uuid]", [rows[0].id])
}

/** What there is to say where the tenant has no group of this name. */
export function noSuchGroup(name: string): SignalboxError {
  return new SignalboxError("not_found", `there is no consumer group ${JSON.stringify(name)}`)
}

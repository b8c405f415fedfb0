import type { Db } from "./database.ts"
import type { PartitionState } from "./consumer-leases.ts"

/** A partition of a group, with what was committed last. */
export interface GroupPartition extends PartitionState {
  position: number
}

/** A member that is alive. */
export interface GroupMember {
  id: string
  name: string
  joinedAt: Date
}

/** A group as its members share it. */
export interface GroupState {
  partitions: GroupPartition[]
  members: GroupMember[]
}

/** What tells whether a group's state is another than before. */
export interface GroupPulse {
  id: string
  version: number
  /** Members alive. */
  living: number
}

/** A position of a partition, as whoever holds it by this generation has come to it. */
export interface Place {
  partition: number
  generation: number
  position: number
}

/** Whoever has joined is to come soon: it may have died before it heard that it was let in, and keeps its share idle. */
const firstSessionMs = 3_000

/** Lets a member in, in the caller's transaction; false where the group has as many as it may, or is gone. */
export async function insertMember(
  db: Db,
  groupId: string,
  member: { id: string; name: string },
): Promise<boolean> {
  await bumpGroup(db, groupId) // a statement of its own: once it has the row, it sees all who joined before
  const { rowCount } = await db.query(
    `insert into consumer_members (id, subscriptions, expires_at, name)
     select $2, array[g.id], clock_timestamp() + least(g.session_ms, $4) * interval '1 millisecond', $3
     from consumer_groups g
     where g.id = $1 and (select count(*) from consumer_members m
       where m.subscriptions && array[g.id] and m.expires_at > clock_timestamp()) < g.max_members`,
    [groupId, member.id, member.name, firstSessionMs],
  )
  return rowCount === 1
}

/** Shows that members are alive for their sessions from now on; answers those that there are. */
export async function renewGroupMembers(
  db: Db,
  renewals: readonly { member: string; group: string; sessionMs: number }[],
): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>({
    name: "renew_group_members",
    text: `update consumer_members m set expires_at = clock_timestamp() + r.ms * interval '1 millisecond'
      from unnest($1::text[], $2::uuid[], $3::integer[]) as r (id, group_id, ms)
      where m.id = r.id and m.subscriptions = array[r.group_id] returning m.id`,
    values: [
      renewals.map(({ member }) => member),
      renewals.map(({ group }) => group),
      renewals.map(({ sessionMs }) => sessionMs),
    ],
  })
  return new Set(rows.map(({ id }) => id))
}

/** Which of these members have half of their sessions left or less, whoever set them so, or are none any more. */
export async function waningMembers(
  db: Db,
  members: readonly { member: string; sessionMs: number }[],
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>({
    name: "waning_members",
    text: `select r.id from unnest($1::text[], $2::integer[]) as r (id, ms)
      left join consumer_members m using (id)
      where m.id is null or m.expires_at < clock_timestamp() + r.ms / 2 * interval '1 millisecond'`,
    values: [members.map(({ member }) => member), members.map(({ sessionMs }) => sessionMs)],
  })
  return rows.map(({ id }) => id)
}

/** Ends members `graceMs` from now, unless they show a sign of life before: their connections are gone. */
export async function shortenSessions(db: Db, members: readonly string[], graceMs: number): Promise<void> {
  await db.query(
    `update consumer_members
     set expires_at = least(expires_at, clock_timestamp() + $2 * interval '1 millisecond') where id = any($1)`,
    [members, graceMs],
  )
}

/** Ends a member of a group at once, and with it its leases; false where there is none. */
export async function deleteMember(db: Db, groupId: string, member: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `with gone as (
       delete from consumer_members where id = $2 and subscriptions = array[$1::uuid] returning id)
     update consumer_groups set version = version + 1 where id = $1 and exists (select from gone)`,
    [groupId, member],
  )
  return rowCount === 1
}

/** Says that leases of a group have changed hands. */
export async function bumpGroup(db: Db, groupId: string): Promise<void> {
  await db.query("update consumer_groups set version = version + 1 where id = $1", [groupId])
}

/** The pulse of these groups; those that are gone are left out. */
export async function groupPulses(db: Db, groups: readonly string[]): Promise<GroupPulse[]> {
  const { rows } = await db.query<GroupPulse>({
    name: "group_pulses",
    text: `select g.id, g.version, (select count(*) from consumer_members m
        where m.subscriptions && array[g.id] and m.expires_at > clock_timestamp()) as living
      from consumer_groups g where g.id = any($1::uuid[])`,
    values: [groups],
  })
  return rows
}

/** Partitions and members of a group; no partition where it is gone. */
export async function groupState(db: Db, groupId: string): Promise<GroupState> {
  const { rows: partitions } = await db.query<GroupPartition>({
    name: "group_partitions",
    text: `select p.subscription_id as "subscriptionId", p.partition, p.fence, p.position, m.id as owner,
        true as active, null as "dueAt"
      from subscription_partitions p
      left join consumer_members m on m.id = p.lease_owner and m.expires_at > clock_timestamp()
      where p.subscription_id = $1 order by p.partition`,
    values: [groupId],
  })
  const { rows: members } = await db.query<GroupMember>({
    name: "group_members",
    text: `select id, name, joined_at as "joinedAt" from consumer_members
      where subscriptions && array[$1::uuid] and expires_at > clock_timestamp() order by joined_at, id`,
    values: [groupId],
  })
  return { partitions, members }
}

/**
 * Moves cursors to where a member has come, all of them or none: answers the partitions among them that
 * are not this member's by this generation any more. A cursor never goes back.
 */
export async function commitPlaces(
  db: Db,
  groupId: string,
  member: string,
  places: readonly Place[],
): Promise<number[]> {
  const { rows } = await db.query<{ partition: number; held: boolean }>({
    name: "commit_places",
    text: `with wanted as (
        select * from unnest($3::smallint[], $4::bigint[], $5::bigint[]) as w (partition, fence, position)),
      held as (
        select p.partition, w.position from subscription_partitions p join wanted w using (partition)
        where p.subscription_id = $1 and p.lease_owner = $2 and p.fence = w.fence
        order by p.partition for no key update of p),
      moved as (
        update subscription_partitions p set position = greatest(p.position, held.position)
        from held where p.subscription_id = $1 and p.partition = held.partition
          and (select count(*) from held) = (select count(*) from wanted))
      select w.partition, h.partition is not null as held from wanted w left join held h using (partition)`,
    values: [
      groupId,
      member,
      places.map(({ partition }) => partition),
      places.map(({ generation }) => generation),
      places.map(({ position }) => position),
    ],
  })
  return rows.filter(({ held }) => !held).map(({ partition }) => partition)
}

/** Gives partitions back that a member holds by these generations; answers how many it did. */
export async function releasePlaces(
  db: Db,
  groupId: string,
  member: string,
  leases: readonly { partition: number; generation: number }[],
): Promise<number> {
  const { rowCount } = await db.query(
    `with released as (
       update subscription_partitions p set lease_owner = null
       from unnest($3::smallint[], $4::bigint[]) as r (partition, fence)
       where p.subscription_id = $1 and p.lease_owner = $2 and p.partition = r.partition and p.fence = r.fence
       returning p.partition),
     told as (
       update consumer_groups set version = version + 1 where id = $1 and exists (select from released))
     select from released`,
    [groupId, member, leases.map(({ partition }) => partition), leases.map(({ generation }) => generation)],
  )
  return rowCount ?? 0
}

import type { Db } from "./database.ts"
import { isLetOut } from "./replayed-deliveries.ts"

// A group's members are programs elsewhere: what they take of a replay stays `retrying`, and is due again
// where they have not said in time what came of it. Of a partition no more is given out before that.

/** A member of a group, by their ids. */
export interface GroupMemberId {
  group: string
  member: string
}

/** A replayed event that a member has taken. */
export interface TakenReplayed {
  eventId: string
  partition: number
  position: number
  attempts: number
  replayId: string
}

const maxAttempts = 5

const isHeld = `exists (
  select from subscription_partitions p join consumer_members m on m.id = p.lease_owner
  where p.subscription_id = d.subscription_id and p.partition = d.partition and p.lease_owner = $2
    and m.expires_at > clock_timestamp())`

/**
 * Gives a member replayed events that are due in its partitions, in the order of the log, for so many seconds; as
 * much as `maxBytes` of bodies hold, or one event. What was taken before comes alone: where it ends each member that
 * takes it, only its own attempts are used up. What was taken five times already becomes a dead letter.
 */
export async function takeForMember(
  db: Db,
  { group, member }: GroupMemberId,
  { limit, maxBytes, seconds }: { limit: number; maxBytes: number; seconds: number },
): Promise<TakenReplayed[]> {
  // Apart from the update, for the reason told in deliveries.ts.
  const { rows: due } = await db.query<{ eventId: string; attempts: number; bytes: number }>(
    `select d.event_id as "eventId", d.attempts, coalesce(l.bytes, 0) as bytes
     from (select * from event_deliveries d
       where d.subscription_id = $1 and d.replayed and d.status = 'retrying' and d.next_attempt_at <= now()
         and ${isHeld} and ${isLetOut} and not exists (
           select from event_deliveries other
           where other.subscription_id = $1 and other.partition = d.partition and other.replayed
             and other.status = 'retrying' and other.attempts > 0 and other.next_attempt_at > now())
       order by d.position limit $3) d
     left join event_log l on l.event_id = d.event_id order by d.position`,
    [group, member, limit],
  )
  const spent = due.filter(({ attempts }) => attempts >= maxAttempts).map(({ eventId }) => eventId)
  if (spent.length > 0) await buryForGroup(db, group, spent, "nobody said in time what came of it")
  let bytes = 0
  const open = due.filter(({ attempts }) => attempts < maxAttempts)
  const takenBefore = open.findIndex(({ attempts }) => attempts > 0)
  const page = open
    .slice(0, takenBefore === -1 ? open.length : Math.max(takenBefore, 1))
    .filter((row, index) => (bytes += row.bytes) <= maxBytes || index === 0)
  if (page.length === 0) return []
  const { rows } = await db.query<TakenReplayed>(
    `update event_deliveries d set attempts = attempts + 1, next_attempt_at = now() + $3 * interval '1 second',
       first_attempt_at = coalesce(first_attempt_at, now())
     where d.event_id = any($4::uuid[]) and d.subscription_id = $1 and d.replayed and d.status = 'retrying'
       and d.next_attempt_at <= now() and ${isHeld} and ${isLetOut}
     returning d.event_id as "eventId", d.partition, d.position, d.attempts, d.replay_id as "replayId"`,
    [group, member, seconds, page.map(({ eventId }) => eventId)],
  )
  return rows.toSorted((a, b) => a.position - b.position)
}

/** Settles what members have done; answers how many were not settled before, nor taken back. */
export async function settleForGroup(db: Db, group: string, eventIds: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `update event_deliveries d set status = 'delivered', finished_at = now(), next_attempt_at = null,
       last_error = null
     where d.event_id = any($2::uuid[]) and d.subscription_id = $1 and d.replayed and d.status = 'retrying'
       and d.attempts > 0`,
    [group, eventIds],
  )
  return rowCount ?? 0
}

/** Notes that a member failed at an event: it is due again after 5 s, 10 s and so on, or else a dead letter. */
export async function failForGroup(db: Db, group: string, eventId: string, error: string): Promise<void> {
  const { rows } = await db.query<{ attempts: number }>(
    `update event_deliveries d set last_error = $3,
       next_attempt_at = now() + 5 * 2 ^ (d.attempts - 1) * interval '1 second'
     where d.event_id = $2 and d.subscription_id = $1 and d.replayed and d.status = 'retrying' and d.attempts > 0
     returning d.attempts`,
    [group, eventId, error],
  )
  if ((rows[0]?.attempts ?? 0) >= maxAttempts) await buryForGroup(db, group, [eventId], error)
}

/** Makes dead letters of replayed events of a group. */
export async function buryForGroup(
  db: Db,
  group: string,
  eventIds: readonly string[],
  error: string,
): Promise<void> {
  await db.query(
    `with buried as (
       update event_deliveries d set status = 'dead', finished_at = now(), next_attempt_at = null,
         last_error = $3
       where d.event_id = any($2::uuid[]) and d.subscription_id = $1 and d.replayed and d.status = 'retrying'
       returning d.tenant, d.event_id, d.attempts)
     insert into dead_letters (tenant, kind, event_id, subscription_id, attempts, error_code, error)
     select tenant, 'group', event_id, $1, attempts, 'failed', $3 from buried
     on conflict do nothing`,
    [group, eventIds, error],
  )
}

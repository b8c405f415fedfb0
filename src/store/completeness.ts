import type pg from "pg"
import { transaction, type Db } from "./database.ts"

/** The right to work on a source's ledger, good for as long as nobody holds a higher fence. */
export interface SweepLease {
  sourceId: string
  tenant: string
  fence: number
}

/** A source that was claimed: where its ledger and its sweep stand. */
export interface ClaimedSweep extends SweepLease {
  createdAt: Date
  completeThrough: Date | null
  sweptFrom: Date | null
  sweptUntil: Date | null
  cursor: string | null
  wantedSince: Date | null
  failures: number
}

/** This run has lost its source to another one: what it would still write does not count. */
export class SweepLost extends Error {
  override readonly name = "SweepLost"

  constructor() {
    super("the source was taken over by another reconciler")
  }
}

const leasedFor = (parameter: string): string => `clock_timestamp() + ${parameter} * interval '1 millisecond'`
// No lease lasts an hour: one that seems to was given while the clock was ahead.
const isFree = `(c.leased_until is null or c.leased_until <= clock_timestamp()
  or c.leased_until > clock_timestamp() + interval '1 hour')`
/** The clock was set back since the last run, by which the times that the run wrote mean nothing. */
const isSetBack = (now: string): string => `c.ran_at > ${now}::timestamptz + interval '5 minutes'`
const isUnlimited = (now: string): string =>
  `(c.limited_until is null or c.limited_until <= ${now} or ${isSetBack(now)})`
const isDue = (now: string): string => `(c.wanted_at is not null or c.next_at <= ${now} or ${isSetBack(now)})`

/**
 * Claims a source for `leaseMs`. Undefined where somebody holds it, where the provider's limit is spent
 * at `now`, and, unless `force`, where nobody wants it and its time has not come.
 */
export async function claimSweep(
  db: Db,
  sourceId: string,
  { now, leaseMs, force }: { now: Date; leaseMs: number; force: boolean },
): Promise<ClaimedSweep | undefined> {
  const { rows } = await db.query<ClaimedSweep>(
    `with claimed as (
       insert into source_completeness as c (source_id, tenant, fence, leased_until, next_at)
       select id, tenant, 1, ${leasedFor("$3")}, $2 from sources where id = $1
       on conflict (source_id) do update set fence = c.fence + 1, leased_until = excluded.leased_until,
         wanted_at = null, next_at = least(c.next_at, $2)
       where ${isFree} and ${isUnlimited("$2")} and ($4 or ${isDue("$2")})
       returning *)
     select c.source_id as "sourceId", c.tenant, c.fence, s.created_at as "createdAt",
       c.complete_through as "completeThrough", c.swept_from as "sweptFrom", c.swept_until as "sweptUntil",
       c.cursor, c.wanted_since as "wantedSince", c.failures
     from claimed c join sources s on s.id = c.source_id`,
    [sourceId, now, leaseMs, force],
  )
  return rows[0]
}

/** Those of these sources that a claim at `now` would get, the one that waits longest first. */
export async function dueSweeps(db: Db, sourceIds: readonly string[], now: Date): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select s.id from sources s left join source_completeness c on c.source_id = s.id
     where s.id = any($1::uuid[]) and (c.source_id is null or
       ${isFree} and ${isUnlimited("$2")} and ${isDue("$2")})
     order by c.wanted_at, c.ran_at nulls first`,
    [sourceIds, now],
  )
  return rows.map(({ id }) => id)
}

/** Holds a claim for another `leaseMs`; false where it is lost, or was let go meanwhile. */
export async function renewSweep(db: Db, { sourceId, fence }: SweepLease, leaseMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update source_completeness set leased_until = ${leasedFor("$3")}
     where source_id = $1 and fence = $2 and leased_until is not null`,
    [sourceId, fence, leaseMs],
  )
  return rowCount === 1
}

/** Runs `body` in a transaction through which nobody else can claim the source; throws SweepLost where somebody has. */
export function fencedSweep<T>(pool: pg.Pool, lease: SweepLease, body: (db: Db) => Promise<T>): Promise<T> {
  return transaction(pool, async (db) => {
    const { rowCount } = await db.query(
      "select from source_completeness where source_id = $1 and fence = $2 for no key update",
      [lease.sourceId, lease.fence],
    )
    if (rowCount === 0) throw new SweepLost()
    return body(db)
  })
}

/**
 * Begins a window; belongs into `fencedSweep`, as all that follows. What was wanted before the claim is
 * met by it; who has asked for an earlier time since then is not forgotten. `forgets` says that what the
 * ledger has is not to be believed: nothing is known to be complete before the window is swept.
 */
export async function beginWindow(
  db: Db,
  { sourceId, wantedSince }: Pick<ClaimedSweep, "sourceId" | "wantedSince">,
  { since, until, forgets = false }: { since: Date; until: Date; forgets?: boolean },
): Promise<void> {
  await db.query(
    `update source_completeness set swept_from = $2, swept_until = $3, cursor = null, progress = null,
       wanted_since = case when wanted_since < coalesce($4::timestamptz, 'infinity') then wanted_since end,
       complete_from = case when $5 then null else complete_from end,
       complete_through = case when $5 then null else complete_through end
     where source_id = $1`,
    [sourceId, since, until, wantedSince, forgets],
  )
}

/** Keeps how far the sweep has come. */
export async function keepCursor(
  db: Db,
  sourceId: string,
  { cursor, progress }: { cursor: string; progress: string },
): Promise<void> {
  await db.query("update source_completeness set cursor = $2, progress = $3 where source_id = $1", [
    sourceId,
    cursor,
    progress,
  ])
}

/** Adds requests that were sent to the provider. */
export async function addCalls(db: Db, sourceId: string, calls: number): Promise<void> {
  if (calls === 0) return
  await db.query("update source_completeness set calls = calls + $2 where source_id = $1", [sourceId, calls])
}

/**
 * Ends the window that was swept whole, but for what `problem` says. The ledger never goes back, and never
 * says anything of a time after `settled`.
 */
export async function endWindow(
  db: Db,
  sourceId: string,
  end: { now: Date; settled: Date; nextAt: Date; problem: string | null },
): Promise<void> {
  await db.query(
    `update source_completeness set complete_from = least(complete_from, swept_from),
       complete_through = greatest(least(complete_through, $5), swept_until), checked_at = $2, ran_at = $2,
       problem = $4, failures = 0, next_at = $3, limited_until = null, swept_from = null,
       swept_until = null, cursor = null, progress = null, leased_until = null
     where source_id = $1`,
    [sourceId, end.now, end.nextAt, end.problem, end.settled],
  )
}

/** Why a run ended early, and when the next one may begin. */
export interface SweepPause {
  now: Date
  nextAt: Date
  /** For the operator; null where nothing is wrong. */
  problem: string | null
  /** Until when the provider will answer nothing. */
  limitedUntil: Date | null
  failures: number
}

/** Puts a run down before its end; its sweep goes on from the cursor. */
export async function pauseSweep(db: Db, sourceId: string, pause: SweepPause): Promise<void> {
  const { now, nextAt, problem, limitedUntil, failures } = pause
  await db.query(
    `update source_completeness set ran_at = $2, next_at = $3, problem = $4, limited_until = $5,
       failures = $6, leased_until = null
     where source_id = $1`,
    [sourceId, now, nextAt, problem, limitedUntil, failures],
  )
}

/** Lets go of a claim for another process to go on at once. */
export async function releaseSweep(db: Db, { sourceId, fence }: SweepLease): Promise<void> {
  await db.query("update source_completeness set leased_until = null where source_id = $1 and fence = $2", [
    sourceId,
    fence,
  ])
}

/** Notes that somebody wants a source swept now, and from when on if they say so; false where there is no such source. */
export async function wantSweep(
  db: Db,
  source: { tenant: string; platform: string; name: string },
  { now, since }: { now: Date; since: Date | null },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into source_completeness as c (source_id, tenant, wanted_at, wanted_since, next_at)
     select id, tenant, $4, $5, $4 from sources where tenant = $1 and platform = $2 and name = $3
     on conflict (source_id) do update set wanted_at = $4, wanted_since = least(c.wanted_since, $5)`,
    [source.tenant, source.platform, source.name, now, since],
  )
  return rowCount === 1
}

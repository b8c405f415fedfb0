import type pg from "pg"
import { lockLog } from "./append-log.ts"
import { transaction, type Db } from "./database.ts"

const maxKeys = 1_000

/** A key of a team of Linear's that is known to a tenant. */
export interface TeamKey {
  tenant: string
  key: string
  /**
   * Until the past is read by it: the event whose processing is to do that, and whether that event never comes
   * to be processed any more, which leaves it to others. Absent once it is done.
   */
  unread?: { by: string; isLeft: boolean }
}

/** The keys that are known to these tenants. */
export async function teamKeysOf(db: Db, tenants: readonly string[]): Promise<TeamKey[]> {
  const { rows } = await db.query<{ tenant: string; key: string; by: string | null; isLeft: boolean | null }>(
    {
      name: "team_keys_of",
      text: `select tenant, key, case when read_to < known_at then first_event end as by,
        case when read_to < known_at then not exists (select from events where id = first_event)
          or exists (select from event_log where event_id = first_event)
          or exists (select from event_processing_status where event_id = first_event and status = 'dead')
        end as "isLeft"
      from linear_team_keys where tenant = any($1::text[])`,
      values: [tenants],
    },
  )
  return rows.map(({ tenant, key, by, isLeft }) => ({
    tenant,
    key,
    ...(by === null ? {} : { unread: { by, isLeft: isLeft === true } }),
  }))
}

/** How many keys of a tenant an event was read by. */
export interface KeysRead {
  tenant: string
  keys: number
}

/**
 * Fails the transaction, as contention, where more keys are known by now. To be sent once the lock of the log
 * is held: nobody learns a key then.
 */
export async function expectTeamKeys(db: Db, read: readonly KeysRead[]): Promise<void> {
  const distinct = [...new Map(read.map((one) => [`${one.tenant}\n${one.keys}`, one])).values()]
  await db.query({
    name: "expect_team_keys",
    text: "select expect_team_keys($1::text[], $2::integer[])",
    values: [distinct.map(({ tenant }) => tenant), distinct.map(({ keys }) => keys)],
  })
}

/**
 * Makes keys known to a tenant, at most 1,000 in all: whatever is logged from here on was read by them.
 * Those that are known stay as they are.
 */
export async function learnTeamKeys(
  pool: pg.Pool,
  tenant: string,
  keys: readonly string[],
  eventId: string,
): Promise<void> {
  await transaction(pool, async (db) => {
    await lockLog(db)
    await db.query(
      `insert into linear_team_keys (tenant, key, first_event, known_at)
       select $1, key, $3, position from unnest($2::text[]) as key, event_log_head
       order by key limit greatest(0, ${maxKeys} - (select count(*) from linear_team_keys where tenant = $1))
       on conflict (tenant, key) do nothing`,
      [tenant, keys, eventId],
    )
  })
}

/** Keys by which the past has not been read to its end, and where reading goes on. */
export interface UnreadKeys {
  keys: string[]
  after: number
  upTo: number
}

/** The tenants, or the one of them, whose past has not been read to its end by every key that is known. */
export async function tenantsWithUnreadKeys(db: Db, tenant?: string): Promise<string[]> {
  const { rows } = await db.query<{ tenant: string }>(
    `select distinct tenant from linear_team_keys
     where read_to < known_at and ($1::text is null or tenant = $1) order by 1`,
    [tenant ?? null],
  )
  return rows.map((row) => row.tenant)
}

/** What of the past is to be read anew for a tenant; null where nothing is. */
export async function unreadTeamKeys(db: Db, tenant: string): Promise<UnreadKeys | null> {
  const { rows } = await db.query<{ keys: string[] | null; after: number; upTo: number }>({
    name: "unread_team_keys",
    text: `select array_agg(key order by key) as keys, min(read_to) as after, max(known_at) as "upTo"
      from linear_team_keys where tenant = $1 and read_to < known_at`,
    values: [tenant],
  })
  const [{ keys, after, upTo } = { keys: null, after: 0, upTo: 0 }] = rows
  return keys === null ? null : { keys, after, upTo }
}

const eventsAtOnce = 1_000
const bytesAtOnce = 64 * 2 ** 20

// As `encode(raw, 'escape')` writes a body, in lower case: a backslash twice, bytes beyond ASCII in octal. A form
// has either in percent-encoding.
const backslash = String.raw`(?:\\\\|%5c)`
const hyphen = String.raw`(?:\\342\\200\\22|%e2%80%9|${backslash}u201)[01]` // U+2010, U+2011
const escapedAscii = `${backslash}u00[2-7]`

/**
 * Of the next 1,000 events of a tenant (or 64 MiB of bodies) those that these keys may make differ: events
 * that refer to an issue of Linear's, which may be one by its looks alone, and events whose body has a key
 * with a dash behind it, or a hyphen that is read as one, or writes letters as escapes.
 */
export async function eventsNaming(
  db: Db,
  tenant: string,
  { keys, after, upTo }: UnreadKeys,
): Promise<{ ids: string[]; readTo: number }> {
  const { rows } = await db.query<{ id: string; position: number; names: boolean }>({
    name: "events_naming_teams",
    text: `select l.event_id as id, l.position,
        exists (select from event_references r where r.event_id = l.event_id and r.entity like 'linear:issue:%')
          or coalesce(lower(encode(e.raw, 'escape')) ~ $4, false) as names
      from (
        select event_id, position, sum(bytes) over (order by position) - bytes as bytes_before
        from (
          select event_id, position, bytes from event_log
          where tenant = $1 and position > $2 and position <= $3 order by position limit ${eventsAtOnce}
        ) next
      ) l
      left join events e on e.id = l.event_id -- retention may have dropped it
      where l.bytes_before < ${bytesAtOnce}
      order by l.position`,
    values: [tenant, after, upTo, namePattern(keys)],
  })
  return { ids: rows.filter(({ names }) => names).map(({ id }) => id), readTo: rows.at(-1)?.position ?? upTo }
}

function namePattern(keys: readonly string[]): string {
  return `(?:${keys.join("|").toLowerCase()})(?:-|%2d|${hyphen})[1-9]|${escapedAscii}`
}

/** Notes how far the past has been read by these keys. */
export async function noteRead(
  db: Db,
  tenant: string,
  keys: readonly string[],
  readTo: number,
): Promise<void> {
  await db.query(
    `update linear_team_keys set read_to = greatest(read_to, least($3, known_at))
     where tenant = $1 and key = any($2::text[])`,
    [tenant, keys, readTo],
  )
}

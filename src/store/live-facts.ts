import type { AsOf } from "./correlations.ts"
import type { Db } from "./database.ts"

/** A push of a line; a line is a ref of a repository, `acme/api@refs/heads/main`. */
export interface LinePush {
  line: string
  /** Milliseconds of the sender's clock. */
  at: number
  /** Commit the line stands on; null where the push deleted it. */
  after: string | null
}

/** Where a commit stands on a line. */
export interface Place extends LinePush {
  sha: string
  after: string
  /** Place within its push, oldest first. */
  ordinal: number
}

/** A push from which a line does not simply go on: it was made, deleted or forced; or its first that is known. */
export interface Turn extends LinePush {
  /** Commit the line stood on; null where the push made it. */
  before: string | null
  forced: boolean
  /** So many commits were listed. */
  commits: number
}

/** The time up to which something must have been known, in SQL. */
export const until = (asOf: AsOf): Date | string => asOf ?? "infinity"
const ms = "(extract(epoch from at) * 1000)::float8"

// GitHub tells a merge to the second; a merge that no push showed comes after all pushes of its second.
const mergedAt = "m.merged_at + interval '999 milliseconds'"
const isUnpushed = `not exists (select from pushed_commits pushed where pushed.tenant = $1 and pushed.sha = m.sha
  and pushed.line = m.base_line and pushed.known_from <= $3)`

/**
 * Every place of these commits: where pushes put them, and where they were merged to where no push showed
 * that. In columns, since reading thousands of rows takes longer than finding them.
 */
export async function placesOf(
  db: Db,
  tenant: string,
  shas: readonly string[],
  asOf: AsOf,
): Promise<Place[]> {
  if (shas.length === 0) return []
  const { rows } = await db.query<PlacesOfLine>({
    name: "places_of_commits",
    text: `select line, array_to_json(array_agg(sha)) as shas, array_to_json(array_agg(${ms})) as times,
        array_to_json(array_agg(nullif(after_sha, sha))) as heads, array_to_json(array_agg(ordinal)) as ordinals
      from (
        select line, sha, at, after_sha, ordinal from pushed_commits
          where tenant = $1 and sha = any($2::text[]) and known_from <= $3
        union all
        select distinct base_line, sha, ${mergedAt}, sha, 0 from merged_pull_requests m
          where tenant = $1 and sha = any($2::text[]) and known_from <= $3 and base_line is not null and ${isUnpushed}
      ) as place group by line`,
    values: [tenant, shas, until(asOf)],
  })
  return rows.flatMap(({ line, shas: found, times, heads, ordinals }) =>
    found.map((sha, index): Place => {
      return { sha, line, at: times[index] ?? 0, after: heads[index] ?? sha, ordinal: ordinals[index] ?? 0 }
    }),
  )
}

/** Places on one line; a head is null where the commit is it. */
interface PlacesOfLine {
  line: string
  shas: string[]
  times: number[]
  heads: (string | null)[]
  ordinals: number[]
}

const maxListed = 2_000

/** The commits that came to these lines within a time, both ends included; the latest 2,000. */
export async function cameWithin(
  db: Db,
  tenant: string,
  { lines, from, to }: { lines: readonly string[]; from: number; to: number },
  asOf: AsOf,
): Promise<string[]> {
  const { rows } = await db.query<{ sha: string }>({
    name: "came_within",
    text: `select sha from (
        (select c.sha, p.at, c.ordinal from pushes p join pushed_commits c on c.event_id = p.event_id
          where p.tenant = $1 and c.tenant = $1 and p.line = any($2::text[]) and p.known_from <= $3
            and p.at between to_timestamp($4::float8 / 1000) and to_timestamp($5::float8 / 1000)
          order by p.at desc, c.ordinal desc limit ${maxListed})
        union all
        (select m.sha, ${mergedAt}, 0 from merged_pull_requests m
          where m.tenant = $1 and m.base_line = any($2::text[]) and m.known_from <= $3 and ${isUnpushed}
            and m.merged_at between to_timestamp(($4::float8 - 999) / 1000) and to_timestamp(($5::float8 - 999) / 1000)
          order by m.merged_at desc limit ${maxListed})
      ) as came (sha, at, ordinal) order by at desc, ordinal desc limit ${maxListed}`,
    values: [tenant, lines, until(asOf), from, to],
  })
  return [...new Set(rows.map(({ sha }) => sha))]
}

const maxTurns = 1_000

/** The first known push of these lines and their latest 1,000 turns, oldest first. */
export async function turnsOf(db: Db, tenant: string, lines: readonly string[], asOf: AsOf): Promise<Turn[]> {
  const columns = `line, at, before_sha, after_sha, forced, commits`
  const { rows } = await db.query<Turn>({
    name: "turns_of_lines",
    text: `select distinct turn.line, ${ms} as at, before_sha as before, after_sha as after, forced, commits
      from unnest($2::text[]) as wanted (line)
      cross join lateral (
        (select ${columns} from pushes where tenant = $1 and line = wanted.line and known_from <= $3
          order by at limit 1)
        union all
        (select ${columns} from pushes where tenant = $1 and line = wanted.line and known_from <= $3
          and (forced or before_sha is null or after_sha is null) order by at desc limit ${maxTurns})
      ) as turn order by 2`,
    values: [tenant, lines, until(asOf)],
  })
  return rows
}

/** A push with what it went on from. */
export type ChainedPush = Pick<Turn, "line" | "at" | "before" | "after">

/** Every push of a line in one millisecond, for each of these. */
export async function pushesAt(
  db: Db,
  tenant: string,
  moments: readonly Pick<LinePush, "line" | "at">[],
  asOf: AsOf,
): Promise<ChainedPush[]> {
  const { rows } = await db.query<ChainedPush>({
    name: "pushes_at",
    text: `select distinct p.line, (extract(epoch from p.at) * 1000)::float8 as at, before_sha as before, after_sha as after
      from unnest($2::text[], $3::float8[]) as m (line, ms)
      join pushes p on p.tenant = $1 and p.line = m.line and p.at = to_timestamp(m.ms / 1000) and p.known_from <= $4`,
    values: [tenant, moments.map(({ line }) => line), moments.map(({ at }) => at), until(asOf)],
  })
  return rows
}

/**
 * Commits that are taken for copies of these: of the same author with the same message and files, pushed
 * later, to a line that the commit itself is not on. Where two such are on one line that was never
 * rewritten, the author says that time and again, and none is a copy.
 */
export async function likesOf(
  db: Db,
  tenant: string,
  shas: readonly string[],
  asOf: AsOf,
): Promise<{ sha: string; like: string }[]> {
  const { rows } = await db.query<{ sha: string; like: string }>({
    name: "likes_of_commits",
    text: `select distinct one.sha, other.sha as "like" from pushed_commits one
      join pushed_commits other on other.tenant = $1 and other.likeness = one.likeness and other.sha <> one.sha
        and other.at >= one.at and other.known_from <= $3
      where one.tenant = $1 and one.sha = any($2::text[]) and one.likeness is not null and one.known_from <= $3
        and not exists (select from pushed_commits own where own.tenant = $1 and own.sha = one.sha
          and own.line = other.line and own.known_from <= $3)
        and not exists (select from pushed_commits again where again.tenant = $1 and again.likeness = one.likeness
          and again.known_from <= $3 and not exists (select from pushes p where p.tenant = $1 and p.line = again.line
            and p.forced and p.known_from <= $3)
          group by again.line having min(again.sha) <> max(again.sha))
      order by 1, 2 limit 200`,
    values: [tenant, shas, until(asOf)],
  })
  return rows
}

/** The whole names of abbreviated ones, where each is that of one commit alone. */
export async function wholeNames(
  db: Db,
  tenant: string,
  abbreviations: readonly string[],
  asOf: AsOf,
): Promise<ReadonlyMap<string, string>> {
  if (abbreviations.length === 0) return new Map()
  const { rows } = await db.query<{ short: string; sha: string }>({
    name: "whole_names_of_commits",
    // Each by itself: the planner takes a range of which it knows nothing for a large part of the table.
    text: `select short, min(sha) as sha from unnest($2::text[]) as asked (short)
      cross join lateral (
        (select sha from pushed_commits
          where tenant = $1 and sha >= short and sha < short || 'g' and known_from <= $3 offset 0)
        union all
        (select sha from merged_pull_requests
          where tenant = $1 and sha >= short and sha < short || 'g' and known_from <= $3 offset 0)
      ) as named group by short having min(sha) = max(sha)`,
    values: [tenant, abbreviations, until(asOf)],
  })
  return new Map(rows.map(({ short, sha }) => [short, sha]))
}

/** A merge of a pull request, by its key. */
export interface Merge {
  pullRequest: string
  sha: string
  mergedAt: Date
  /** Last commit of its own branch. */
  head: string | null
}

/** The merges of these pull requests, and those that made these commits. */
export async function mergesOf(
  db: Db,
  tenant: string,
  { pullRequests, shas }: { pullRequests: readonly string[]; shas: readonly string[] },
  asOf: AsOf,
): Promise<Merge[]> {
  const { rows } = await db.query<Merge>({
    name: "merges_of",
    text: `select distinct pull_request as "pullRequest", sha, merged_at as "mergedAt", head_sha as head
      from merged_pull_requests
      where tenant = $1 and (pull_request = any($2::text[]) or sha = any($3::text[])) and known_from <= $4
      order by 3, 2, 1, 4`,
    values: [tenant, pullRequests, shas, until(asOf)],
  })
  return rows
}

/** What is latest known of these fields of things; `keys` are all those that a thing has. */
export async function latestFields(
  db: Db,
  tenant: string,
  { things, names }: { things: readonly { key: string; keys: Iterable<string> }[]; names: readonly string[] },
  asOf: AsOf,
): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const pairs = things.flatMap(({ key, keys }) => [...keys].map((alias) => ({ key, alias })))
  const { rows } = await db.query<{ key: string; name: string; value: unknown }>({
    name: "latest_fields",
    text: `select distinct on (thing.key, field.name) thing.key, field.name, state.fields -> field.name as value
      from unnest($2::text[], $3::text[]) as thing (key, alias)
      cross join unnest($5::text[]) as field (name)
      cross join lateral (
        select fields, at, tie from entity_states where tenant = $1 and entity = thing.alias
          and fields ? field.name and known_from <= $4 order by at desc, tie desc limit 1
      ) as state
      order by thing.key, field.name, state.at desc, state.tie desc`,
    values: [tenant, pairs.map(({ key }) => key), pairs.map(({ alias }) => alias), until(asOf), names],
  })
  const found = new Map<string, Record<string, unknown>>()
  for (const { key, name, value } of rows) found.set(key, { ...found.get(key), [name]: value })
  return found
}

/** The title of the latest event on a thing that has one, of its latest 20. */
export async function latestTitle(
  db: Db,
  tenant: string,
  keys: readonly string[],
  asOf: AsOf,
): Promise<string | null> {
  const { rows } = await db.query<{ title: string }>({
    name: "latest_title",
    text: `select title from unnest($2::text[]) as thing (key)
      cross join lateral (
        select e.title, l.occurred_at, l.tie from event_log l join events e on e.id = l.event_id
          where l.tenant = $1 and l.entity = thing.key and e.received_at <= $3
          order by l.occurred_at desc, l.tie desc limit 20
      ) as latest
      where title is not null
      order by occurred_at desc, tie desc, title limit 1`,
    values: [tenant, keys, until(asOf)],
  })
  return rows[0]?.title ?? null
}

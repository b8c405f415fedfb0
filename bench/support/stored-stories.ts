import type { Pool } from "pg"

/** A history of stories, each of an issue, its pull requests, commits, thread and deployments. */
export interface Stories {
  count: number
  eventsEach: number
  /** Bytes of each stored body, about. */
  bodyBytes: number
  /** The key of the issue that the n-th story is about, from 0. */
  issue(n: number): string
}

const days = 40
const bodyBytes = 600

/** Of the events of a story: so many about each of so many things, written as SQL on `s` and `k`. */
const cast = [
  { events: 60, entity: "'linear:issue:ENG-' || s", type: "linear.issue.update" },
  {
    events: 300,
    entity: "'github:pull_request:acme/api#' || s * 3 + k % 3",
    type: "github.pull_request.synchronize",
  },
  { events: 60, entity: "'slack:message:T1/C1/' || s || '.' || k", type: "slack.message.posted" },
  { events: 40, entity: "'github:commit:' || md5('commit ' || s || ' ' || k)", type: "github.push.pushed" },
  { events: 40, entity: "'deployment:' || s || '/' || k % 8", type: "deployment.production.success" },
] as const

/** Links between these, each shown by several events, as in life: of an edge every event of a pull request tells. */
const links = [
  {
    from: "'github:pull_request:acme/api#' || s * 3 + n % 3",
    to: "'linear:issue:ENG-' || s",
    relation: "implements",
    shown: 60,
  },
  {
    from: "'slack:message:T1/C1/' || s || '.' || 360 + n",
    to: "'linear:issue:ENG-' || s",
    relation: "discusses",
    shown: 60,
  },
  {
    from: "'github:pull_request:acme/api#' || s * 3 + n % 3",
    to: "'github:commit:' || md5('commit ' || s || ' ' || 420 + n)",
    relation: "contains",
    shown: 40,
  },
  {
    from: "'deployment:' || s || '/' || n % 8",
    to: "'github:commit:' || md5('commit ' || s || ' ' || 420 + n)",
    relation: "deploys",
    shown: 40,
  },
] as const

/**
 * Fills a migrated database with stories that happened side by side: an event of each in turn, so that no
 * two of one story lie together on the disk.
 */
export async function storeStories(
  pool: Pool,
  count: number,
  progress: (line: string) => void,
): Promise<Stories> {
  const eventsEach = cast.reduce((sum, { events }) => sum + events, 0)
  const total = count * eventsEach
  progress(`storing ${total} events in ${count} stories`)
  await pool.query(`create unlogged table drafts as
    select n, n % ${count} as s, n / ${count} as k, at,
      (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || left(md5('event ' || n), 3)
        || '8' || substr(md5('event ' || n), 4, 15))::uuid as id
    from (select n, now() - interval '${days} days' + n * interval '${(days * 86_400) / total} seconds' as at
      from generate_series(0, ${total} - 1) n) as times`)
  const choose = (column: "entity" | "type") => {
    let below = 0
    const cases = cast.map((part) => {
      below += part.events
      return `when k < ${below} then ${column === "type" ? `'${part.type}'` : part.entity}`
    })
    return `case ${cases.join(" ")} end`
  }
  const body = `convert_to('{"story":' || s || ',"text":"' || repeat(md5(n::text), ${Math.round(bodyBytes / 32)}) || '"}', 'UTF8')`
  await pool.query(`insert into events (id, tenant, platform, source, type, name, delivery_id, priority, entity,
      title, occurred_at, received_at, correlation_id, headers, content_type, raw)
    select id, 'default', 'github', 'default', ${choose("type")}, 'event', n::text, 'normal', ${choose("entity")},
      'Event ' || n, at, at, n::text, '{}', 'application/json', ${body} from drafts`)
  progress("storing their places in the log")
  await pool.query(`insert into event_log (position, event_id, tenant, platform, source, type, name, priority,
      entity, occurred_at, correlation_id, bytes, appended_at)
    select n + 1, id, 'default', 'github', 'default', ${choose("type")}, 'event', 'normal', ${choose("entity")}, at,
      n::text, octet_length(${body}), at from drafts`)
  await pool.query("update event_log_head set position = $1", [total])
  progress("storing their links")
  for (const { from, to, relation, shown } of links) {
    await pool.query(`insert into event_correlations (tenant, from_entity, to_entity, relation, rule, event_id,
        rule_version, strength, confidence, evidence, occurred_at, known_from)
      select 'default', ${from}, ${to}, '${relation}', 'bench', drafts.id, 1, 'strong', 0.9,
        '{"field": "title", "text": "ENG-1"}', at, at
      from (select s, n from generate_series(0, ${count} - 1) s, generate_series(0, ${shown} - 1) n) as shown
      join (select s, k, id, at from drafts) as drafts using (s) where k = n`)
  }
  await pool.query("drop table drafts")
  await pool.query("vacuum analyze")
  return { count, eventsEach, bodyBytes, issue: (n) => `linear:issue:ENG-${n}` }
}

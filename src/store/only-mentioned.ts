import { known, type AsOf } from "./correlations.ts"
import type { Db } from "./database.ts"
import { receivedBy } from "./received-by.ts"

const mostTold = 20
const mostRead = 1_000

/**
 * What mentions a thing, the surest first and 20 at most, where no event on the thing itself was received up to
 * `asOf` and no state of it is known; else null.
 */
export async function onlyMentionedBy(
  db: Db,
  tenant: string,
  keys: readonly string[],
  asOf: AsOf,
): Promise<string[] | null> {
  if (await isToldOf(db, tenant, keys, asOf)) return null
  const linked = await linkedWith(db, tenant, keys, asOf)
  return linked.length > 0 ? linked : referrersOf(db, tenant, keys, asOf)
}

async function isToldOf(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<boolean> {
  const { rows } = await db.query<{ told: boolean }>({
    name: `is_told_of_${nowOrThen(asOf)}`,
    text: `select exists (select from event_log
          where tenant = $1 and entity = any($2) ${asOf === null ? "" : `and ${receivedBy(3)}`})
        or exists (select from entity_states
          where tenant = $1 and entity = any($2) ${asOf === null ? "" : "and known_from <= $3"}) as told`,
    values: [tenant, keys, ...(asOf === null ? [] : [asOf])],
  })
  return rows[0]?.told === true
}

/**
 * Who shows its links, the surest first. The other end of a link may itself be no more than a name: what shows it
 * is the thing that the event is about, or that which speaks in it (each commit of a push), where its platform,
 * and not the sender of an event of one's own, says so.
 */
async function linkedWith(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<string[]> {
  const sides = [
    ["to_entity", "from_entity"],
    ["from_entity", "to_entity"],
  ].map(
    ([
      own,
      other,
    ]) => `select ${other} as other, event_id, strength, confidence, known_from from event_correlations
        where tenant = $1 and ${own} = any($2) and ${other} <> all($2) and ${known(asOf, 3)}`,
  )
  const { rows } = await db.query<{ witness: string }>({
    name: `linked_with_${nowOrThen(asOf)}`,
    text: `select witness from (
        select link.*, coalesce(
          (select r.subject from event_references r
            where r.event_id = e.id and r.subject = link.other and e.platform <> 'custom' limit 1), e.entity) as witness
        from (${sides.join(" union all ")}
          order by strength, confidence desc, known_from, event_id, other limit ${mostRead}) as link
        join events e on e.id = link.event_id
      ) as shown
      where witness <> all($2) group by witness
      order by min(strength), max(confidence) desc, min(known_from), witness limit ${mostTold}`,
    values: [tenant, keys, ...(asOf === null ? [] : [asOf])],
  })
  return rows.map(({ witness }) => witness)
}

const speaker = "case when e.platform = 'custom' then e.entity else coalesce(r.subject, e.entity) end"

/** What refers to it, where no rule has made a link of that: the earliest first. */
async function referrersOf(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<string[]> {
  const { rows } = await db.query<{ witness: string }>({
    name: "referrers_of",
    text: `select witness from (
        select ${speaker} as witness, e.received_at from event_references r join events e on e.id = r.event_id
        where r.tenant = $1 and r.entity = any($2) and e.received_at <= $3 and ${speaker} <> all($2)
        order by r.event_id, r.ordinal limit ${mostRead}
      ) as referrer
      group by witness order by min(received_at), witness limit ${mostTold}`,
    values: [tenant, keys, asOf ?? "infinity"],
  })
  return rows.map(({ witness }) => witness)
}

function nowOrThen(asOf: AsOf): string {
  return asOf === null ? "now" : "then"
}

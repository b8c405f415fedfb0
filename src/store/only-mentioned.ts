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

/** The far ends of its links, the surest first. */
async function linkedWith(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<string[]> {
  const sides = [
    ["to_entity", "from_entity"],
    ["from_entity", "to_entity"],
  ].map(
    ([own, other]) => `(select ${other} as other, strength, confidence, known_from from event_correlations
        where tenant = $1 and ${own} = thing.key and ${known(asOf, 3)} order by known_from limit ${mostRead})`,
  )
  const { rows } = await db.query<{ other: string }>({
    name: `linked_with_${nowOrThen(asOf)}`,
    text: `select other from unnest($2::text[]) as thing (key)
      cross join lateral (${sides.join(" union all ")}) as link
      where other <> all($2) group by other
      order by bool_or(strength = 'strong') desc, max(confidence) desc, min(known_from), other limit ${mostTold}`,
    values: [tenant, keys, ...(asOf === null ? [] : [asOf])],
  })
  return rows.map(({ other }) => other)
}

/** What refers to it, where no rule has made a link of that. */
async function referrersOf(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<string[]> {
  const { rows } = await db.query<{ subject: string }>({
    name: "referrers_of",
    text: `select subject from (
        select coalesce(r.subject, e.entity) as subject, e.received_at
        from (select event_id, subject from event_references
          where tenant = $1 and entity = any($2) limit ${mostRead}) r
        join events e on e.id = r.event_id
        where e.received_at <= $3
      ) as referrer
      where subject is not null group by subject order by min(received_at), subject limit ${mostTold}`,
    values: [tenant, keys, asOf ?? "infinity"],
  })
  return rows.map(({ subject }) => subject)
}

function nowOrThen(asOf: AsOf): string {
  return asOf === null ? "now" : "then"
}

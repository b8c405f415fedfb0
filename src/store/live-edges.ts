import type { AsOf, Edge } from "./correlations.ts"
import type { Db } from "./database.ts"

const maxEdges = 2_000

/** Distinct strong edges of these relations into, or out of, these entities; at most 2,000. */
export async function edgesOf(
  db: Db,
  tenant: string,
  {
    side,
    entities,
    relations,
  }: { side: "into" | "out of"; entities: readonly string[]; relations: readonly string[] },
  asOf: AsOf,
): Promise<Edge[]> {
  if (entities.length === 0) return []
  const known = asOf === null ? "known_to = 'infinity'" : "known_from <= $4 and known_to > $4"
  const { rows } = await db.query<Edge>({
    name: `edges_${side === "into" ? "in" : "out"}_${asOf === null ? "now" : "then"}`,
    text: `select distinct from_entity as "from", to_entity as "to", relation from event_correlations
      where tenant = $1 and ${side === "into" ? "to_entity" : "from_entity"} = any($2::text[])
        and strength = 'strong' and relation = any($3::text[]) and ${known}
      order by 1, 2, 3 limit ${maxEdges}`,
    values: [tenant, entities, relations, ...(asOf === null ? [] : [asOf])],
  })
  return rows
}

/** All keys of the things that these are, by what their platforms say is the same. */
export async function sameAs(
  db: Db,
  tenant: string,
  entities: readonly string[],
  asOf: AsOf,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const met = new Map(entities.map((entity) => [entity, new Set([entity])]))
  const relations = ["same_as"]
  let fresh = [...met.keys()]
  for (let depth = 0; depth < 5 && fresh.length > 0; depth++) {
    const into = await edgesOf(db, tenant, { side: "into", entities: fresh, relations }, asOf)
    const out = await edgesOf(db, tenant, { side: "out of", entities: fresh, relations }, asOf)
    fresh = []
    for (const { from, to } of [...into, ...out]) {
      const group = met.get(from) ?? met.get(to) ?? new Set<string>()
      for (const entity of [from, to]) {
        const other = met.get(entity)
        if (other === undefined) fresh.push(entity)
        else if (other !== group) for (const member of other) group.add(member)
        group.add(entity)
      }
      for (const member of group) met.set(member, group)
    }
  }
  return met
}

import type { Db } from "./database.ts"

/**
 * How many events of `tenant` led to one, going back from its cause; counts no further than `limit`.
 * A cause that is no event of ours, or that is gone, ends the chain.
 */
export async function causationDepth(
  db: Db,
  tenant: string,
  causationId: string,
  limit: number,
): Promise<number> {
  const { rows } = await db.query<{ depth: number }>(
    `with recursive chain (cause, depth) as (
       select $2::text, 0
       union all
       select e.causation_id, chain.depth + 1
       from chain join events e on e.tenant = $1 and e.id = case
         when chain.cause ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then chain.cause::uuid
       end
       where chain.depth < $3)
     select max(depth) as depth from chain`,
    [tenant, causationId, limit],
  )
  return rows[0]?.depth ?? 0
}

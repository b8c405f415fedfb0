import type { Claim } from "../queue/claim.ts"
import { eventsNaming, learnTeamKeys, noteRead, unreadTeamKeys } from "../store/team-keys.ts"
import type { Derived } from "./derive.ts"
import type { KnownTeams } from "./known-teams.ts"
import type { Workshop } from "./process-claim.ts"
import { reprocess } from "./reprocess.ts"

/**
 * Learns the keys of teams that events show, before any of these events is logged; answers whether there
 * were any. First the keys become known: whatever is logged from there on was read by them. Then what was
 * logged before is read anew. So when every event has been processed, all is as if every key had always been
 * known, in whatever order they came. Whoever dies on the way leaves the rest with its job to another worker.
 */
export async function learnTeams(
  shop: Pick<Workshop, "pool" | "queue" | "derive">,
  claim: Claim,
  derived: readonly Derived[],
  known: KnownTeams,
): Promise<boolean> {
  const tenants = new Set<string>()
  const learned = new Set<string>()
  for (const { event, teamKeys } of derived) {
    const { tenant } = event
    const unknown = teamKeys.filter(
      (key) => known.find(tenant, key) === undefined && !learned.has(`${tenant}\n${key}`),
    )
    for (const key of unknown) learned.add(`${tenant}\n${key}`)
    if (unknown.length > 0) await learnTeamKeys(shop.pool, tenant, unknown, event.id)
    const isOurs = teamKeys.some((key) => known.find(tenant, key)?.unreadBy === event.id)
    if (unknown.length > 0 || isOurs) tenants.add(tenant)
  }
  for (const tenant of tenants) await readPast(shop, claim, tenant)
  return tenants.size > 0
}

async function readPast(
  shop: Pick<Workshop, "pool" | "queue" | "derive">,
  claim: Claim,
  tenant: string,
): Promise<void> {
  for (let unread = await unreadTeamKeys(shop.pool, tenant); unread !== null;) {
    claim.signal.throwIfAborted()
    const { ids, readTo } = await eventsNaming(shop.pool, tenant, unread)
    await reprocess(shop, ids)
    await noteRead(shop.pool, tenant, unread.keys, readTo)
    await shop.queue.renew(shop.pool, claim)
    unread = await unreadTeamKeys(shop.pool, tenant)
  }
}

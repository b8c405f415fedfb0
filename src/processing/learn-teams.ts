import type pg from "pg"
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
 * known, in whatever order they came. Whoever dies on the way leaves the rest with its job to another worker,
 * and where that job never comes again, to the next event that shows the key.
 */
export async function learnTeams(
  shop: Pick<Workshop, "pool" | "queue" | "derive">,
  claim: Claim,
  derived: readonly Derived[],
  known: KnownTeams,
): Promise<boolean> {
  const tenants = await makeKnown(shop.pool, derived, known)
  for (const { event, teamKeys } of derived) {
    const { tenant } = event
    const isOurs = teamKeys.some((key) => {
      const unread = known.find(tenant, key)?.unread
      return unread !== undefined && (unread.by === event.id || unread.isLeft)
    })
    if (isOurs) tenants.add(tenant)
  }
  for (const tenant of tenants) {
    await readPast(shop.pool, tenant, claim.signal, async (ids) => {
      await reprocess(shop, ids)
      await shop.queue.renew(shop.pool, claim)
    })
    claim.signal.throwIfAborted()
  }
  return tenants.size > 0
}

/**
 * Makes known the keys of teams that events show and that are not known yet; answers the tenants that have
 * learned any. What was logged before is still to be read by them: see `readPast`.
 */
export async function makeKnown(
  pool: pg.Pool,
  derived: readonly Derived[],
  known: KnownTeams,
): Promise<Set<string>> {
  const tenants = new Set<string>()
  const learned = new Set<string>()
  for (const { event, teamKeys } of derived) {
    const { tenant } = event
    const unknown = teamKeys.filter(
      (key) => known.find(tenant, key) === undefined && !learned.has(`${tenant}\n${key}`),
    )
    for (const key of unknown) learned.add(`${tenant}\n${key}`)
    if (unknown.length > 0) {
      await learnTeamKeys(pool, tenant, unknown, event.id)
      tenants.add(tenant)
    }
  }
  return tenants
}

/**
 * Hands on, page by page, the events of a tenant that were logged before keys became known that may make them
 * differ, and notes how far that has come, until all is read or the signal tells to stop.
 */
export async function readPast(
  pool: pg.Pool,
  tenant: string,
  signal: AbortSignal,
  readAnew: (ids: string[]) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const unread = await unreadTeamKeys(pool, tenant)
    if (unread === null) return
    const { ids, readTo } = await eventsNaming(pool, tenant, unread)
    await readAnew(ids)
    await noteRead(pool, tenant, unread.keys, readTo)
  }
}

import type { KnownNames } from "../core/platform.ts"
import type { Db } from "../store/database.ts"
import { teamKeysOf, type TeamKey } from "../store/team-keys.ts"

/** The names that some tenants know, as of one moment. */
export interface KnownTeams {
  /** Names by which a tenant's texts are read. */
  of(tenant: string): KnownNames
  /** The key, where it is known. */
  find(tenant: string, key: string): TeamKey | undefined
}

/** Loads the names that the tenants of these events know. */
export async function knownTeams(
  db: Db,
  waiting: readonly { event: { tenant: string } }[],
): Promise<KnownTeams> {
  const tenants = [...new Set(waiting.map(({ event }) => event.tenant))]
  const byTenant = new Map<string, Map<string, TeamKey>>()
  for (const found of tenants.length === 0 ? [] : await teamKeysOf(db, tenants)) {
    const keys = byTenant.get(found.tenant) ?? new Map<string, TeamKey>()
    byTenant.set(found.tenant, keys.set(found.key, found))
  }
  const names = new Map(
    [...byTenant].map(([tenant, keys]): [string, KnownNames] => [tenant, { teamKeys: new Set(keys.keys()) }]),
  )
  return {
    of: (tenant) => names.get(tenant) ?? {},
    find: (tenant, key) => byTenant.get(tenant)?.get(key),
  }
}

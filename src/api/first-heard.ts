import type { Db } from "../store/database.ts"
import { firstHeardOf } from "../store/explain.ts"

/**
 * When a thing was first heard of, where that was only after the time that is asked about: an answer that is
 * empty for that reason says so. Nothing where the thing was known by then, or where no time is asked about.
 */
export async function firstHeardAfter(
  db: Db,
  tenant: string,
  entity: string,
  asOf: Date | undefined,
): Promise<{ firstHeardAt?: Date }> {
  if (asOf === undefined) return {}
  const firstHeardAt = await firstHeardOf(db, tenant, [entity])
  return firstHeardAt === null || firstHeardAt <= asOf ? {} : { firstHeardAt }
}

import { SignalboxError } from "../core/errors.ts"
import { isKnownEntity } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"

/** 404 where nothing at all is known of an entity: no event, no state, no link and no mention of it. */
export async function mustKnow(db: Db, tenant: string, entity: string): Promise<void> {
  if (await isKnownEntity(db, tenant, entity)) return
  const cut = /^github:(?:pull_request|issue):[^#]+$/.test(entity) ? "; in an address # is %23" : ""
  throw new SignalboxError("not_found", `nothing is known of ${entity}${cut}`)
}

import type { ReplayRequest } from "../core/replay.ts"
import { readAs, type Database } from "../store/database.ts"
import { failureOf } from "../store/failure.ts"
import { countPlaces } from "../store/replay-places.ts"
import type { ReplayTarget } from "../store/replays.ts"
import { wantedOf, type CompileName } from "./wanted.ts"

export interface EstimateOptions {
  tenant: string
  request: ReplayRequest
  target: ReplayTarget
  entities: readonly string[] | null
  after: number
  upTo: number
  compileName: CompileName
}

const longestMs = 5_000

/**
 * Counts the events of a replay by what the log tells of them: exact where nothing is asked of the events
 * themselves, else more than there will be. Null where it would take longer than five seconds.
 */
export async function estimateReplay(
  database: Database,
  { tenant, request, target, entities, after, upTo, compileName }: EstimateOptions,
): Promise<{ events: number | null; exact: boolean }> {
  const wanted = await wantedOf(database.work, target, request.filter, compileName)
  const selection = { ...request, tenant, subscriptionId: target.id, filters: wanted.filters, entities }
  const exact = wanted.matches === undefined && !wanted.asksName
  try {
    const events = await readAs(database, tenant, async (db) => {
      await db.query(`set local statement_timeout = ${longestMs}`)
      return countPlaces(db, selection, { after, upTo })
    })
    return { events, exact }
  } catch (error) {
    if (failureOf(error) !== "away") throw error // a statement that is cancelled counts as such
    return { events: null, exact: false }
  }
}

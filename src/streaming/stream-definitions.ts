import { SignalboxError } from "../core/errors.ts"
import { parseFilter, type Filter } from "../core/filter.ts"
import { readAs, type Database } from "../store/database.ts"
import { findStream } from "../store/streams.ts"

/** Looks a stream's filter up by the stream's name; throws 404 where the tenant sees no such stream. */
export type FindStreamFilter = (tenant: string, name: string) => Promise<Filter>

const cacheMs = 2_000
const cacheSize = 1_000
const streamName = /^[a-z][a-z0-9_-]{0,62}$/

/** Makes the lookup. A definition is believed for two seconds. */
export function createStreamDefinitions(database: Database): FindStreamFilter {
  const known = new Map<string, { filter: Filter; until: number }>()

  return async function findStreamFilter(tenant, name) {
    const key = JSON.stringify([tenant, name])
    const cached = known.get(key)
    if (cached !== undefined && cached.until > performance.now()) return cached.filter
    known.delete(key)
    const row = streamName.test(name)
      ? await readAs(database, tenant, (db) => findStream(db, tenant, name))
      : undefined
    if (row === undefined) throw new SignalboxError("not_found", `there is no stream ${JSON.stringify(name)}`)
    const filter = parseFilter(row.filter)
    if (known.size >= cacheSize) known.clear()
    known.set(key, { filter, until: performance.now() + cacheMs })
    return filter
  }
}

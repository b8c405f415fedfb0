import { entityKind } from "../core/entity-key.ts"
import type { Db } from "../store/database.ts"
import { firstHeardOf, keysOfThing } from "../store/explain.ts"

/** A thing as it is asked about, perhaps at a time. */
export interface Asked {
  tenant: string
  key: string
  asOf: Date | undefined
}

/**
 * What was known of a thing at the time asked about. Where that is nothing by the given key, it is read by the key
 * that the thing had by then, before it was renamed or moved; where it was not known by any of those that it has
 * by now, the answer says when it was first heard of.
 */
export async function readThen<T extends object>(
  db: Db,
  { tenant, key, asOf }: Asked,
  read: (key: string) => Promise<T>,
  isEmpty: (answer: T) => boolean,
): Promise<T & { firstHeardAt?: Date }> {
  const answer = await read(key)
  if (asOf === undefined || !isEmpty(answer)) return answer
  const heard: { key: string; at: Date }[] = []
  for (const one of await keysOfThing(db, tenant, key, null)) {
    const at = await firstHeardOf(db, tenant, [one])
    if (at !== null) heard.push({ key: one, at })
  }
  heard.sort((one, other) => one.at.getTime() - other.at.getTime())
  const [first] = heard
  if (first === undefined) return answer
  if (first.at > asOf) return { ...answer, firstHeardAt: first.at }
  const then = heard.filter(({ at }) => at <= asOf)
  if (then.some((one) => one.key === key)) return answer
  const named = then.findLast((one) => entityKind(one.key) === entityKind(key)) ?? first
  return read(named.key)
}

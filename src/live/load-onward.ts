import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { latestFields, placesOf } from "../store/live-facts.ts"
import { mergedOnward } from "../store/live-onward.ts"
import type { Change } from "./change.ts"

/**
 * The pull requests that may have taken changes along: those whose own branch a commit of the change was on
 * when they were merged. Whether they did is told by how lines grew.
 */
export async function mergedOnwardFrom<C extends Change>(
  db: Db,
  tenant: string,
  changes: readonly C[],
  asOf: AsOf,
): Promise<{ change: C; by: string }[]> {
  const carriers = new Set(changes.flatMap((change) => change.carriers))
  const places = Map.groupBy(await placesOf(db, tenant, [...carriers], asOf), ({ sha }) => sha)
  const wanted = changes.flatMap((change) => {
    const own = change.carriers.flatMap((sha) => places.get(sha) ?? [])
    return [...Map.groupBy(own, ({ line }) => line)].map(([line, there]) => ({
      change,
      line,
      at: Math.min(...there.map(({ at }) => at)),
    }))
  })
  const moments = new Map(wanted.map(({ line, at }) => [`${line}\n${at}`, { line, at }]))
  const found = Map.groupBy(
    await mergedOnward(db, tenant, [...moments.values()], asOf),
    ({ line, at }) => `${line}\n${at}`,
  )
  return wanted.flatMap(({ change, line, at }) =>
    (found.get(`${line}\n${at}`) ?? []).flatMap(({ pullRequest }) =>
      change.keys.has(pullRequest) ? [] : { change, by: pullRequest },
    ),
  )
}

/** The heads of pull requests as they are latest known; earlier ones, and those forced away, are a part at most. */
export async function latestHeads(
  db: Db,
  tenant: string,
  changes: readonly Change[],
  asOf: AsOf,
): Promise<ReadonlyMap<string, string>> {
  if (changes.length === 0) return new Map()
  const fields = await latestFields(db, tenant, { things: changes, names: ["headSha"] }, asOf)
  return new Map(
    [...fields].flatMap(([key, { headSha }]) =>
      typeof headSha === "string" && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(headSha)
        ? [[key, headSha.toLowerCase()] as const]
        : [],
    ),
  )
}

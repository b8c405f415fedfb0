import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import {
  placesOf,
  pushesAt,
  turnsOf,
  type ChainedPush,
  type LinePush,
  type Place,
  type Turn,
} from "../store/live-facts.ts"
import { createAncestry, type Ancestry } from "./ancestry.ts"

// A branch stands on a branch that stands on a branch: so many are followed.
const maxDepth = 8

/** Loads what pushes tell of commits that were deployed, and whether others are among what those stand on. */
export async function loadAncestry(
  db: Db,
  tenant: string,
  { deployed, others }: { deployed: readonly string[]; others: readonly string[] },
  asOf: AsOf,
): Promise<Ancestry> {
  const places = new Map<string, Place[]>()
  const turns = new Map<string, Turn[]>()
  const addPlaces = async (shas: readonly string[]): Promise<void> => {
    for (const sha of shas) places.set(sha, [])
    for (const place of await placesOf(db, tenant, shas, asOf)) places.get(place.sha)?.push(place)
  }
  await addPlaces([...new Set([...deployed, ...others])])
  let fresh = deployed
  for (let depth = 0; depth < maxDepth && fresh.length > 0; depth++) {
    const lines = new Set(fresh.flatMap((sha) => (places.get(sha) ?? []).map(({ line }) => line)))
    const unread = [...lines].filter((line) => !turns.has(line))
    if (unread.length === 0) break
    for (const line of unread) turns.set(line, [])
    const read = await turnsOf(db, tenant, unread, asOf)
    for (const turn of read) turns.get(turn.line)?.push(turn)
    fresh = [...new Set(read.flatMap(({ before, after }) => [before ?? [], after ?? []].flat()))]
    await addPlaces(fresh.filter((sha) => !places.has(sha)))
  }
  const rank = await rankPushes(db, tenant, [...places.values(), ...turns.values()].flat(), asOf)
  for (const list of turns.values()) list.sort((a, b) => a.at - b.at || rank(a) - rank(b))
  return createAncestry({ places, turns, rank })
}

/**
 * Tells the order of pushes of one line in one second, which is all that GitHub's clock tells: each stands
 * on what the one before it left.
 */
async function rankPushes(
  db: Db,
  tenant: string,
  pushes: readonly LinePush[],
  asOf: AsOf,
): Promise<(push: LinePush) => number> {
  const moments = new Map<string, LinePush>()
  const shared = new Map<string, LinePush>()
  for (const push of pushes) {
    const first = moments.get(momentOf(push))
    if (first === undefined) moments.set(momentOf(push), push)
    else if (first.after !== push.after) shared.set(momentOf(push), push)
  }
  if (shared.size === 0) return () => 0
  const all = await pushesAt(db, tenant, [...shared.values()], asOf)
  const ranks = new Map<string, number>()
  for (const group of Map.groupBy(all, momentOf).values()) {
    for (const [index, push] of inTurn(group).entries()) ranks.set(nameOf(push), index)
  }
  return (push) => ranks.get(nameOf(push)) ?? 0
}

/** Pushes of one line and one time, each after the one that it goes on from. */
function inTurn(pushes: readonly ChainedPush[]): ChainedPush[] {
  const left = pushes.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const ordered: ChainedPush[] = []
  while (left.length > 0) {
    const index = left.findIndex(({ before }) => !left.some(({ after }) => after === before))
    const [next] = left.splice(Math.max(index, 0), 1)
    if (next !== undefined) ordered.push(next)
  }
  return ordered
}

function momentOf({ line, at }: LinePush): string {
  return `${line}\n${at}`
}

function nameOf({ line, at, after }: LinePush): string {
  return `${line}\n${at}\n${after}`
}

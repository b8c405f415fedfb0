import type { LoggedDelivery } from "../core/remote.ts"
import { eventsOfKeys, type NewGap } from "../store/gaps.ts"
import type { Run } from "./run.ts"

/** The deliveries of a page that are not here, one gap a key however often each was tried. */
export async function findMissing(run: Run, deliveries: readonly LoggedDelivery[]): Promise<NewGap[]> {
  const byKey = Map.groupBy(deliveries, ({ key }) => key)
  const here = await eventsOfKeys(run.pool, run.key, [...byKey.keys()])
  const gaps: NewGap[] = []
  for (const [key, attempts] of byKey) {
    if (here.has(key)) continue
    const inOrder = attempts.toSorted((a, b) => a.at.getTime() - b.at.getTime())
    const [first, last] = [inOrder[0]!, inOrder.at(-1)!]
    gaps.push({ key, reason: last.outcome, startedAt: first.at, handle: last.handle })
  }
  return gaps
}

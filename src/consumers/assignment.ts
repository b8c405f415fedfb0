import type { Lease, Member, PartitionState } from "../store/consumer-leases.ts"
import { leaseKey } from "../store/deliveries.ts"
import { partitionOf } from "../core/partition-of.ts"

/** What a member sees of the world, and what it holds itself. */
export interface Situation {
  member: string
  /** The members alive, this one included. */
  members: readonly Member[]
  partitions: readonly PartitionState[]
  /** Fences of the partitions it works on, by `leaseKey`. */
  held: ReadonlyMap<string, number>
  /** Those it is giving back already. */
  leaving: ReadonlySet<string>
}

/** What a member should do about its partitions. */
export interface Assignment {
  take: Lease[]
  /** To be finished and given back. */
  release: string[]
  /** Held by this member without its knowledge (the answer to a take was lost), and more than its share. */
  forget: Lease[]
  /** To be dropped at once: taken over, or gone. */
  lost: string[]
}

/**
 * Shares the partitions of each consumer out among the members that run it, evenly and without talk:
 * every member comes to the same shares. Who gets the larger ones differs from consumer to consumer,
 * so that consumers of one partition are spread over the members as well.
 */
export function assign({ member, members, partitions, held, leaving }: Situation): Assignment {
  const assignment: Assignment = { take: [], release: [], forget: [], lost: [] }
  const seen = new Set<string>()
  for (const [subscriptionId, states] of Map.groupBy(partitions, (state) => state.subscriptionId)) {
    const mine: string[] = []
    const free: PartitionState[] = []
    for (const state of states) {
      const key = leaseKey(state)
      seen.add(key)
      const fence = held.get(key)
      if (fence !== undefined && fence !== state.fence) assignment.lost.push(key)
      else if (leaving.has(key)) continue
      else if (fence !== undefined) mine.push(key)
      else if (state.owner === null || state.owner === member) free.push(state)
    }
    const share = states[0]?.active === true ? shareOf(member, subscriptionId, states.length, members) : 0
    assignment.release.push(...mine.slice(share))
    const more = Math.max(0, share - mine.length)
    assignment.take.push(...free.slice(0, more))
    assignment.forget.push(...free.slice(more).filter((state) => state.owner === member))
  }
  for (const key of held.keys()) if (!seen.has(key) && !leaving.has(key)) assignment.lost.push(key)
  return assignment
}

function shareOf(
  member: string,
  subscriptionId: string,
  partitions: number,
  members: readonly Member[],
): number {
  const ranks = members
    .filter(({ subscriptions }) => subscriptions.includes(subscriptionId))
    .map(({ id }) => ({ id, rank: partitionOf(`${subscriptionId} ${id}`, 2 ** 32) }))
    .toSorted((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))
  const place = ranks.findIndex(({ id }) => id === member)
  if (place === -1) return 0
  return Math.floor(partitions / ranks.length) + (place < partitions % ranks.length ? 1 : 0)
}

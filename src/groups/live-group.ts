import type { Pool } from "pg"
import { assign } from "../consumers/assignment.ts"
import { takeLeases } from "../store/consumer-leases.ts"
import type { GroupRow } from "../store/consumer-groups.ts"
import { leaseKey } from "../store/deliveries.ts"
import { bumpGroup, groupState, type GroupState, type Place } from "../store/group-members.ts"

/** A partition that a member holds, and the position that was committed last as far as is known here. */
export interface HeldPlace extends Place {
  /** More than the member's share: to be finished and given back. */
  surplus: boolean
}

/** A group as this process sees it while members of it are served here. */
export interface LiveGroup {
  readonly row: GroupRow
  /**
   * What a member holds, by the newest state that is known here, after it has taken what is free of its
   * share; undefined where the member is not alive, or the group is gone.
   */
  share(member: string): Promise<HeldPlace[] | undefined>
  /** Has the state read anew before it is believed again. */
  invalidate(): void
  /** Says that the state has changed: whoever watches looks again. */
  changed(): void
  /** Rises whenever the streams of its tenant may have changed. */
  readonly definition: number
  /** Says that they may have: whoever watches looks again, at once, or what comes is taken for what they were. */
  redefined(): void
  /** Calls back whenever the state may have changed, until what it answers is called. */
  watch(listener: () => void): () => void
  /** Notes what was committed through this process. */
  committed(places: readonly Place[]): void
}

const gatherMs = 10

/** Makes the view that a process has of a group. */
export function createLiveGroup(pool: Pool, row: GroupRow): LiveGroup {
  const watchers = new Set<() => void>()
  let epoch = 0
  let definition = 0
  let known: { epoch: number; state: GroupState } | undefined
  let reading: { epoch: number; state: Promise<GroupState> } | undefined
  let telling: NodeJS.Timeout | undefined

  async function current(): Promise<GroupState> {
    if (known?.epoch === epoch) return known.state
    if (reading?.epoch !== epoch) reading = { epoch, state: read(epoch) }
    return reading.state
  }

  async function read(at: number): Promise<GroupState> {
    try {
      const state = await groupState(pool, row.id)
      if (at === epoch) known = { epoch, state }
      return state
    } finally {
      if (reading?.epoch === at) reading = undefined
    }
  }

  function changed(): void {
    epoch++
    // What changes together is told once: of many members each may take its share at the same time.
    telling ??= setTimeout(() => {
      telling = undefined
      for (const tell of watchers) tell()
    }, gatherMs)
  }

  async function stateWith(member: string): Promise<GroupState | undefined> {
    const isIn = (state: GroupState) => state.members.some(({ id }) => id === member)
    const believed = await current()
    if (isIn(believed)) return believed
    epoch++ // it may have joined at another process since
    const state = await current()
    return isIn(state) ? state : undefined
  }

  async function share(member: string): Promise<HeldPlace[] | undefined> {
    let state = await stateWith(member)
    if (state === undefined) return undefined
    let { take, release } = assignmentOf(member, state)
    if (take.length > 0) {
      const taken = await takeLeases(pool, member, take)
      if (taken.length > 0) {
        await bumpGroup(pool, row.id)
        changed()
      } else epoch++ // somebody was faster
      state = await stateWith(member)
      if (state === undefined) return undefined
      ;({ release } = assignmentOf(member, state))
    }
    const surplus = new Set(release)
    return state.partitions
      .filter(({ owner }) => owner === member)
      .map((held) => ({
        partition: held.partition,
        generation: held.fence,
        position: held.position,
        surplus: surplus.has(leaseKey(held)),
      }))
  }

  return {
    row,
    share,
    invalidate: () => void epoch++,
    changed,
    get definition() {
      return definition
    },
    redefined() {
      definition++
      for (const tell of watchers) tell()
    },
    watch(listener) {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
    committed(places) {
      for (const { partition, generation, position } of places) {
        const at = known?.state.partitions.find((one) => one.partition === partition)
        if (at?.fence === generation) at.position = Math.max(at.position, position)
      }
    },
  }
}

/** As the consumers of a process do it: members come to the same shares, and keep what is within theirs. */
function assignmentOf(member: string, { members, partitions }: GroupState) {
  const held = partitions.filter(({ owner }) => owner === member)
  return assign({
    member,
    members: members.map(({ id }) => ({ id, subscriptions: partitions.slice(0, 1).map(groupOf) })),
    partitions,
    held: new Map(held.map((one) => [leaseKey(one), one.fence])),
    leaving: new Set(),
  })
}

function groupOf({ subscriptionId }: { subscriptionId: string }): string {
  return subscriptionId
}

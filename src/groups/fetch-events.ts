import type { Pool } from "pg"
import { SignalboxError } from "../core/errors.ts"
import { releasePlaces, type Place } from "../store/group-members.ts"
import type { EventEntry } from "../streaming/entry.ts"
import { collect, type Batch, type CollectParts, type PartitionGap } from "./collect.ts"
import type { GroupView } from "./group-view.ts"
import type { HeldPlace, LiveGroup } from "./live-group.ts"
import { logSetBack } from "./news.ts"
import { untilAborted, type Wait } from "./wait.ts"

/** What a member asks for. */
export interface FetchRequest {
  /**
   * Where it has come in partitions that it holds by these generations, done or not; in any other it
   * begins behind what is committed. Without it, it has nothing in hand.
   */
  after?: readonly Place[] | undefined
  /** Partitions of which it wants nothing now. */
  without?: readonly number[] | undefined
  maxEvents: number
  maxBytes: number
  /** Answers as soon as the assignment is of another version than this. */
  known?: string | undefined
  /** Whether it waits where nothing follows yet. */
  waits: boolean
  /** Whether gaps are told beside the events; else they are an error. */
  tellsGaps: boolean
}

/** What a member gets. */
export interface Fetched {
  /** Of its assignment; equal for equal ones. */
  version: string
  events: { partition: number; entry: EventEntry }[]
  gaps: PartitionGap[]
  /** Every partition that it holds and wants something of, and where it is once all of this is done: what to commit then. */
  positions: Place[]
  /** Partitions that it has more than its share: nothing comes of them, and once what is in hand is committed they go to another. */
  revoking: number[]
}

export interface FetchParts extends CollectParts {
  pool: Pool
  group: LiveGroup
  /** What the group takes by now. */
  view: () => Promise<GroupView>
  share: () => Promise<HeldPlace[]>
  wait: Wait
}

/** A member with something in hand to give back is answered after so long, so that it sees that. */
const revokingMs = 200

/** Waits for events of a member's partitions, over changes of its assignment. */
export async function fetchEvents(
  parts: FetchParts,
  member: string,
  request: FetchRequest,
): Promise<Fetched> {
  const { feed, group, wait } = parts
  const { maxEvents, maxBytes, after } = request
  const reached = new Map(after?.map((place) => [keyOf(place), place.position]))
  const isInHand = (held: HeldPlace) => after !== undefined && (reached.get(keyOf(held)) ?? 0) > held.position
  const isWanted = ({ partition, surplus }: HeldPlace) =>
    !surplus && request.without?.includes(partition) !== true
  for (;;) {
    const turn = wait.turn()
    const { definition } = group
    const view = await parts.view()
    let held = await parts.share()
    if (held.some((place) => place.surplus || !reached.has(keyOf(place)))) {
      group.invalidate() // what is committed must be known as it is
      held = await parts.share()
    }
    const furthest = Math.max(0, ...reached.values(), ...held.map(({ position }) => position))
    // At what lies beyond the end of the log, nothing would come until the log has grown past it anew.
    const isBeyond = !feed.following || furthest > feed.position
    if (isBeyond && furthest > (await feed.head())) throw logSetBack()
    const idle = held.filter((place) => place.surplus && !isInHand(place))
    if (idle.length > 0 && (await releasePlaces(parts.pool, group.row.id, member, idle)) > 0) group.changed()
    const revoking = held.filter((place) => place.surplus && isInHand(place))
    const places = held.filter(isWanted).map((place) => placeOf(place, reached))
    const batch = await batchOf(places, revoking.length > 0)
    // What was passed over by what the stream was before is looked at again. Hints may be lost.
    if (group.definition !== definition || (await parts.view()) !== view) continue
    for (const place of batch.places) reached.set(keyOf(place), place.position)
    if (batch.gaps.length > 0 && !request.tellsGaps) throw pastRetention(batch)
    const version = versionOf(held)
    const isNews = request.known !== undefined && request.known !== version
    const isSomething = isNews || batch.events.length > 0 || batch.gaps.length > 0
    // Who does not want to wait is answered once it is known that nothing is there, not where the look was cut short.
    const mayGoOn = (request.waits || turn.aborted) && !wait.over && revoking.length === 0
    if (!isSomething && mayGoOn) continue
    return {
      version,
      events: batch.events,
      gaps: batch.gaps,
      positions: batch.places,
      revoking: revoking.map(({ partition }) => partition),
    }

    async function batchOf(wanted: Place[], isRevoking: boolean): Promise<Batch> {
      if (request.known !== undefined && request.known !== versionOf(held)) {
        return { events: [], gaps: [], places: wanted }
      }
      if (!request.waits && wanted.length === 0) return { events: [], gaps: [], places: wanted }
      // What is given back holds up no other partition, but the member is to hear of it soon.
      if (isRevoking) wait.shorten(revokingMs)
      if (wanted.length === 0) {
        await untilAborted(turn)
        return { events: [], gaps: [], places: wanted }
      }
      return collect(parts, {
        groupId: group.row.id,
        partitions: group.row.partitions,
        view,
        places: new Map(wanted.map((place) => [place.partition, place])),
        maxEvents,
        maxBytes,
        waits: request.waits,
        signal: turn,
      })
    }
  }
}

/** Equal for equal assignments. */
export function versionOf(held: readonly HeldPlace[]): string {
  return held
    .map(({ partition, generation, surplus }) => `${partition}.${generation}${surplus ? "r" : ""}`)
    .join("_")
}

function placeOf(held: HeldPlace, reached: ReadonlyMap<string, number>): Place {
  const { partition, generation, position } = held
  return { partition, generation, position: Math.max(position, reached.get(keyOf(held)) ?? 0) }
}

function keyOf({ partition, generation }: { partition: number; generation: number }): string {
  return `${partition}.${generation}`
}

function pastRetention({ gaps, places }: Batch): SignalboxError {
  const lowest = Math.min(...gaps.map(({ from }) => from))
  const highest = Math.max(...gaps.map(({ to }) => to))
  return new SignalboxError(
    "gone",
    `positions ${lowest} to ${highest} are past retention, and whatever they held is lost to this group: commit the positions told here to go on behind them, or fetch with gaps=tell`,
    { details: { gaps, positions: places } },
  )
}

import { partitionOf } from "../core/partition-of.ts"
import { orderKey } from "../consumers/order-key.ts"
import { workKey } from "../consumers/work.ts"
import { chunksOf } from "../store/body-chunks.ts"
import type { Db } from "../store/database.ts"
import { findLoggedEvents } from "../store/logged-events.ts"
import { replayPlaces, type ReplayPlace } from "../store/replay-places.ts"
import type { DueReplay } from "../store/replay-steps.ts"
import type { ReplayTarget } from "../store/replays.ts"
import type { Wanted } from "./wanted.ts"

/** An event to be handed on. */
export interface Found {
  eventId: string
  position: number
  partition: number
  /** What others wait behind, where order is kept. */
  orderKey: string | null
}

/** What a walk came to. */
export interface Walk {
  found: Found[]
  /** Up to here the log was looked through. */
  position: number
}

export interface WalkOptions {
  replay: DueReplay
  target: ReplayTarget
  wanted: Wanted
  /** Events to be found, at most. */
  room: number
  /** Milliseconds after which it comes back with what it has. */
  budgetMs: number
}

const window = 20_000 // positions that one statement looks at, so that it never goes on for long
const pageRows = 500

/** Looks through the log from where a replay is, for as many events as there is room for. */
export async function walkOn(db: Db, { replay, target, wanted, room, budgetMs }: WalkOptions): Promise<Walk> {
  const end = performance.now() + budgetMs
  const selection = { ...replay, filters: wanted.filters }
  const found: Found[] = []
  let { position } = replay
  while (found.length < room && position < replay.upTo && performance.now() < end) {
    const upTo = Math.min(replay.upTo, position + window)
    const places = await replayPlaces(db, selection, { after: position, upTo, limit: pageRows })
    let reached = places.length < pageRows ? upTo : (places.at(-1)?.position ?? upTo)
    for await (const place of matching(db, places, wanted)) {
      const { eventId, position: at } = place
      const event = { id: eventId, ...place }
      found.push({
        eventId,
        position: at,
        partition: partitionOf(orderKey(event), target.partitions),
        orderKey: target.ordered ? workKey({ event, replayId: replay.id }) : null,
      })
      if (found.length < room) continue
      reached = place.position
      break
    }
    position = reached
  }
  return { found, position }
}

/** Those of the places whose events are wanted; bodies are read where they are asked for, a bounded chunk at a time. */
async function* matching(
  db: Db,
  places: readonly ReplayPlace[],
  { hasName, matches }: Wanted,
): AsyncGenerator<ReplayPlace> {
  const named = places.filter(({ name }) => hasName(name))
  if (matches === undefined) {
    yield* named
  } else {
    for (const chunk of chunksOf(named)) {
      const events = await findLoggedEvents(db, chunk, { payload: true })
      const fit = new Set(events.filter(matches).map(({ id }) => id))
      yield* chunk.filter(({ eventId }) => fit.has(eventId))
    }
  }
}

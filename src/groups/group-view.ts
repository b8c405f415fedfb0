import { partitionOf } from "../core/partition-of.ts"
import { orderKey, type Keyed } from "../consumers/order-key.ts"
import { parseFilter } from "../core/filter.ts"
import type { Database } from "../store/database.ts"
import type { GroupRow } from "../store/consumer-groups.ts"
import { logPositionBefore } from "../store/log-pages.ts"
import type { StreamDefinitions } from "../streaming/stream-definitions.ts"
import { createView, type View } from "../streaming/view.ts"
import type { Wanted } from "./news.ts"

/** What a group takes of the log, as its stream is defined now. */
export interface GroupView {
  view: View
  /** What lies up to here is past the stream's own retention; 0 where it has none. */
  floor(): Promise<number>
}

/** Tells what a group takes; throws `not_found` where its stream is gone. */
export type FindGroupView = (row: GroupRow) => Promise<GroupView>

const floorMs = 5_000

/** Makes the lookup. A stream's definition is believed for as long as `definitions` does. */
export function createGroupViews(
  database: Database,
  definitions: Pick<StreamDefinitions, "find">,
): FindGroupView {
  const known = new WeakMap<GroupRow, { version: string; found: GroupView }>()
  return async (row) => {
    const { selection, version, retentionSeconds } = await definitions.find(row.tenant, [row.stream])
    const held = known.get(row)
    if (held?.version === version) return held.found
    const found = {
      view: createView(row.tenant, [selection, parseFilter(row.filter)]),
      floor: floorOf(database, retentionSeconds),
    }
    known.set(row, { version, found })
    return found
  }
}

function floorOf({ work }: Database, retentionSeconds: number | null): () => Promise<number> {
  if (retentionSeconds === null) return async () => 0
  let believed: { floor: Promise<number>; until: number } | undefined
  return async () => {
    if (believed === undefined || believed.until < performance.now()) {
      believed = { floor: logPositionBefore(work, retentionSeconds), until: performance.now() + floorMs }
      believed.floor.catch(() => (believed = undefined))
    }
    return believed.floor
  }
}

/** The same view of some partitions alone. */
export function ofPartitions(view: View, partitions: Wanted): View {
  const isOf = (event: Keyed): boolean =>
    partitions.of === 1 || partitions.has(partitionOf(orderKey(event), partitions.of))
  return {
    ...view,
    shows: (entry) => view.shows(entry) && (entry.kind === "gap" || isOf(entry.event)),
  }
}

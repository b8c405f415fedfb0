import type { Entry } from "./entry.ts"
import type { Encoding } from "./encoding.ts"
import { partsOf, type PlacedPart } from "./parts.ts"
import { write, type Client } from "./client.ts"
import type { View } from "./view.ts"
import { createViewIndex, type ViewIndex } from "./view-index.ts"

/** Hands what the feed tells to all clients that are up to date. */
export interface FanOut {
  /** Adds a client that has been sent everything up to the feed's position. */
  join(client: Client): void
  leave(client: Client): void
  /** From now on so many bytes may wait for a client. */
  allow(bytes: number): void
  advance(entries: readonly Entry[]): void
}

export interface FanOutOptions {
  /**
   * A client left because more came at once than may wait for it, or than its key may have; it has been sent all
   * up to `position`.
   */
  onOutpaced: (client: Client, position: number) => void
  /** A client left because it has been behind for a second and more waits for it than may. */
  onTooSlow: (client: Client) => void
}

/** Clients that get the same bytes. */
interface Group {
  view: View
  encoding: Encoding
  members: Set<Client>
}

/** How long a client may be behind and still count as caught in a burst. */
const burstMs = 1000

/** Makes a fan-out. A flush is one write a client, of one buffer that its whole group shares. */
export function createFanOut({ onOutpaced, onTooSlow }: FanOutOptions): FanOut {
  let maxUnsent = 0
  const groups = new Map<string, Group>()
  const index = createViewIndex<Group>()

  function leave(client: Client): void {
    const group = groups.get(groupKey(client))
    if (group === undefined || !group.members.delete(client)) return
    client.live = false
    if (group.members.size > 0) return
    groups.delete(groupKey(client))
    index.remove(group.view, group)
  }

  function send(client: Client, parts: readonly PlacedPart[], before: number, now: number): void {
    let reached = before
    for (const placed of parts) {
      const unsent = client.wire.unsent()
      if (unsent === 0) client.drainedAt = now
      if (unsent + placed.part.bytes.length > maxUnsent) {
        leave(client)
        if (now - client.drainedAt > burstMs) onTooSlow(client)
        else onOutpaced(client, reached)
        return
      }
      if (client.allowance?.tryTake(placed.entries) === false) {
        leave(client)
        onOutpaced(client, reached)
        return
      }
      write(client, placed, now)
      reached = placed.position
    }
  }

  return {
    join: (client) => {
      const { view, wire } = client
      const key = groupKey(client)
      let group = groups.get(key)
      if (group === undefined) {
        group = { view, encoding: wire.encoding, members: new Set() }
        groups.set(key, group)
        index.add(view, group)
      }
      group.members.add(client)
      client.view = group.view // an equal one; its own can go
      client.drainedAt = performance.now() // it took what it was sent until now, at its own pace
      client.live = true
    },
    leave,
    allow: (bytes) => {
      maxUnsent = bytes
    },
    advance: (entries) => {
      const [first] = entries
      if (first === undefined) return
      const before = (first.kind === "gap" ? first.from : first.position) - 1
      const now = performance.now()
      for (const [group, shown] of sortOut(index, entries)) {
        const parts = [...partsOf(shown, group.encoding)]
        for (const client of group.members) send(client, parts, before, now)
      }
    },
  }
}

function groupKey({ view, wire }: Client): string {
  return `${wire.encoding.name} ${view.key}`
}

/** What each group is shown. One event after the other, so that its payload is parsed once for all filters. */
function sortOut(index: ViewIndex<Group>, entries: readonly Entry[]): Map<Group, Entry[]> {
  const shown = new Map<Group, Entry[]>()
  for (const entry of entries) {
    for (const group of entry.kind === "gap" ? index.all() : index.candidates(entry.event)) {
      if (!group.view.shows(entry)) continue
      const list = shown.get(group)
      if (list === undefined) shown.set(group, [entry])
      else list.push(entry)
    }
  }
  return shown
}

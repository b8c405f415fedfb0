import type { Entry } from "./entry.ts"
import { partsOf } from "./parts.ts"
import { toChunk, unsentBytes, writeShared, type Chunk, type SseClient } from "./sse-client.ts"
import type { View } from "./view.ts"

/** Hands what the feed tells to all clients that are up to date. */
export interface FanOut {
  /** Adds a client that has been sent everything up to the feed's position. */
  join(client: SseClient): void
  leave(client: SseClient): void
  advance(entries: readonly Entry[]): void
}

export interface FanOutOptions {
  /** Bytes that may wait for a client. */
  maxUnsent: number
  /** A client left because more came at once than may wait for it; it has been sent all up to `position`. */
  onOutpaced: (client: SseClient, position: number) => void
  /** A client left because it has been behind for a second and more waits for it than may. */
  onTooSlow: (client: SseClient) => void
}

/** Clients that get the same bytes. */
interface Group {
  view: View
  members: Set<SseClient>
}

/** Bytes for a whole group, and the position of the last event in them. */
interface SharedPart {
  chunk: Chunk
  position: number
}

/** How long a client may be behind and still count as caught in a burst. */
const burstMs = 1000

/** Makes a fan-out. A flush is one write a client, of one buffer that its whole group shares. */
export function createFanOut({ maxUnsent, onOutpaced, onTooSlow }: FanOutOptions): FanOut {
  const groups = new Map<string, Group>()

  function leave(client: SseClient): void {
    const group = groups.get(client.view.key)
    if (group === undefined || !group.members.delete(client)) return
    client.live = false
    if (group.members.size === 0) groups.delete(client.view.key)
  }

  function send(client: SseClient, parts: readonly SharedPart[], before: number, now: number): void {
    let unsent = unsentBytes(client)
    if (unsent === 0) client.drainedAt = now
    let reached = before
    for (const { chunk, position } of parts) {
      if (unsent + chunk.bytes.length > maxUnsent) {
        leave(client)
        if (now - client.drainedAt > burstMs) onTooSlow(client)
        else onOutpaced(client, reached)
        return
      }
      writeShared(client, chunk, now)
      unsent = unsentBytes(client)
      reached = position
      client.told = position
    }
  }

  return {
    join: (client) => {
      const { view } = client
      const group = groups.get(view.key) ?? { view, members: new Set() }
      groups.set(view.key, group)
      group.members.add(client)
      client.view = group.view // an equal one; its own can go
      client.drainedAt = performance.now() // it took what it was sent until now, at its own pace
      client.live = true
    },
    leave,
    advance: (entries) => {
      const [first] = entries
      if (first === undefined) return
      const before = (first.kind === "gap" ? first.from : first.position) - 1
      const now = performance.now()
      for (const [group, shown] of sortOut(groups.values(), entries)) {
        const parts = Array.from(partsOf(shown), ({ bytes, position }) => ({
          chunk: toChunk(bytes),
          position,
        }))
        for (const client of group.members) send(client, parts, before, now)
      }
    },
  }
}

/** What each group is shown. One event after the other, so that its payload is parsed once for all filters. */
function sortOut(groups: Iterable<Group>, entries: readonly Entry[]): Map<Group, Entry[]> {
  const all = [...groups]
  const shown = new Map<Group, Entry[]>()
  for (const entry of entries) {
    for (const group of all) {
      if (!group.view.shows(entry)) continue
      const list = shown.get(group)
      if (list === undefined) shown.set(group, [entry])
      else list.push(entry)
    }
  }
  return shown
}

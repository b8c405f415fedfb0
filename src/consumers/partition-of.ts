import type { LoggedEvent } from "../core/envelope.ts"

/**
 * The partition of a key: FNV-1a over its UTF-16 units, then mixed so that the low bits depend on all
 * of it. Stored cursors rely on it, so it never changes.
 */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions
}

/** What `orderKey` is told by. */
export type Keyed = Pick<LoggedEvent, "id" | "entity" | "orderKey">

/**
 * What keeps events in order: their entity, or each for itself where it has none. Cursors of partitions rely on
 * it, so an event that is derived anew with another entity keeps the key it was logged with: it stays in order
 * with what was logged of its first entity, and is in none with what is logged of its new one.
 */
export function orderKey({ id, entity, orderKey: first }: Keyed): string {
  return first ?? entity ?? id
}

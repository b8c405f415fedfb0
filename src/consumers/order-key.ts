import type { LoggedEvent } from "../core/envelope.ts"

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

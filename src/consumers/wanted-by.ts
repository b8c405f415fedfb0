import type { LoggedEvent } from "../core/envelope.ts"
import type { TakenLease } from "../store/consumer-leases.ts"
import { everyTenant } from "./definition.ts"
import type { MayWant } from "./log-window.ts"
import { partitionOf } from "../core/partition-of.ts"
import { orderKey } from "./order-key.ts"
import type { AnyDefinition } from "./worker-services.ts"

/** Makes a function that says whether a consumer wants an event, and has it in this partition. */
export function wantedBy(
  { tenant, matches }: AnyDefinition,
  { partition, partitions }: TakenLease,
): (event: LoggedEvent) => boolean {
  return (event) => {
    if (tenant !== everyTenant && event.tenant !== tenant) return false
    if (partitions > 1 && partitionOf(orderKey(event), partitions) !== partition) return false
    try {
      return matches(event)
    } catch {
      return true // the run asks again, and puts the error down to this event
    }
  }
}

const known = new WeakMap<AnyDefinition, MayWant>()

/** What `wantedBy` can tell from a head alone: one function for all partitions of a consumer. */
export function mayBeWantedBy(definition: AnyDefinition): MayWant {
  const { tenant, mayWant } = definition
  const made: MayWant =
    known.get(definition) ??
    ((head) => (tenant === everyTenant || head.tenant === tenant) && mayWant?.(head) !== false)
  known.set(definition, made)
  return made
}

import type { Pool } from "pg"
import { noteRests, webhookRests } from "../store/webhook-rests.ts"
import type { Endpoint } from "./endpoint.ts"

/** Lets the processes that send to one receiver know of each other's breakers. */
export interface SharedRests {
  /** Says that this process has found something of a subscription's receiver. */
  note(subscriptionId: string): void
  /** Tells the others, and heeds what they have told; what could not be told is told the next time. */
  exchange(): Promise<void>
}

const well = { restMs: 0, intervalMs: 0 }

/** Makes it for the endpoints of a process, by their subscriptions' ids. */
export function createSharedRests(
  pool: Pool,
  endpoints: () => Iterable<readonly [string, Endpoint]>,
): SharedRests {
  const untold = new Set<string>()

  async function tell(): Promise<void> {
    const rests = [...endpoints()].flatMap(([subscriptionId, endpoint]) =>
      untold.has(subscriptionId) ? [{ subscriptionId, url: endpoint.url, ...endpoint.rest() }] : [],
    )
    untold.clear()
    if (rests.length === 0) return
    try {
      await noteRests(pool, rests)
    } catch (error) {
      for (const { subscriptionId } of rests) untold.add(subscriptionId)
      throw error
    }
  }

  async function heed(): Promise<void> {
    const known = await webhookRests(pool)
    for (const [subscriptionId, endpoint] of endpoints()) {
      if (untold.has(subscriptionId)) continue // what is read is older than what was found meanwhile
      const rest = known.get(subscriptionId)
      if (rest !== undefined || endpoint.rest().intervalMs > 0) endpoint.adopt(rest ?? well)
    }
  }

  return {
    note: (subscriptionId) => void untold.add(subscriptionId),
    async exchange() {
      await tell()
      await heed()
    },
  }
}

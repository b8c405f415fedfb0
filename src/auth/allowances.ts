import { createAllowance, type Allowance } from "../core/allowance.ts"
import { SignalboxError } from "../core/errors.ts"
import { noLimits, type KeyLimits } from "../store/api-keys.ts"

/** What a key may still have of its limits, in this process; null where it has none. */
export interface KeyAllowance {
  requests: Allowance | null
  events: Allowance | null
}

/** The allowances of all keys that were seen of late. */
export interface Allowances {
  /** That of a key; the same one as long as its limits stay what they are. */
  of(keyId: string, limits?: KeyLimits): KeyAllowance
}

/** The allowance of those who have no limits. */
const unlimited: KeyAllowance = { requests: null, events: null }

const mostKeys = 10_000

/** Makes the allowances; of more keys than 10,000, the one seen longest ago begins anew. */
export function createAllowances(): Allowances {
  const known = new Map<string, KeyAllowance>()
  return {
    of: (keyId, { requestsPerSecond, eventsPerSecond } = noLimits) => {
      if (requestsPerSecond === null && eventsPerSecond === null) return unlimited
      const before = known.get(keyId) ?? unlimited
      const allowance = {
        requests: renewed(before.requests, requestsPerSecond),
        events: renewed(before.events, eventsPerSecond),
      }
      known.delete(keyId)
      known.set(keyId, allowance)
      const [oldest] = known.keys()
      if (known.size > mostKeys && oldest !== undefined) known.delete(oldest)
      return allowance
    },
  }
}

function renewed(before: Allowance | null, perSecond: number | null): Allowance | null {
  if (perSecond === null) return null
  return before?.perSecond === perSecond ? before : createAllowance(perSecond)
}

/** Counts a request; throws 429 where the key has made as many as it may. */
export function takeRequest({ requests }: KeyAllowance): void {
  if (requests === null || requests.tryTake(1)) return
  throw limited(`this key may make ${requests.perSecond} requests a second`, requests)
}

/** Throws 429 where the key has been given as many events as it may. */
export function checkEvents({ events }: KeyAllowance): void {
  if (events === null || events.waitMs() === 0) return
  throw limited(`this key may have ${events.perSecond} events a second`, events)
}

function limited(words: string, allowance: Allowance): SignalboxError {
  return new SignalboxError("too_many_requests", words, {
    retryAfter: Math.max(1, allowance.waitMs() / 1000),
  })
}

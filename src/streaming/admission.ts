import { SignalboxError } from "../core/errors.ts"
import type { Opening } from "./client.ts"
import type { RefusalReason } from "./figures.ts"
import { createTally } from "./tally.ts"
import type { View } from "./view.ts"

/** Whose stream it is and what work its view is, as far as shares go. */
export type Comer = Pick<Opening, "keyId" | "address"> & { view: Pick<View, "work"> }

/** Streams that a process lets be open at a time unless it is told otherwise. */
export const usualMaxClients = 20_000

export interface AdmissionLimits {
  /** Streams open at a time (20,000). */
  maxClients?: number
  /** Of these, by one API key, and from one address (the half of them each). */
  maxClientsByKey?: number
  maxClientsByAddress?: number
  /** Different conditions (`where`) that one key may have looked at for each event (500): see `View.work`. */
  maxConditionsByKey?: number
}

/** Counts who has streams open, and tells whether one more is let in. */
export interface Admission {
  /** Throws 503 where no more streams are taken, and 429 where this key or address has its share. */
  admit(comer: Comer): void
  add(comer: Comer): void
  remove(comer: Comer): void
}

/** Makes the count. */
export function createAdmission(
  { maxClients = usualMaxClients, ...limits }: AdmissionLimits,
  onRefused: (reason: RefusalReason) => void,
): Admission {
  const { maxClientsByKey = maxClients / 2, maxClientsByAddress = maxClients / 2 } = limits
  const { maxConditionsByKey = 500 } = limits
  const byKey = createTally()
  const byAddress = createTally()
  const byWork = createTally() // streams of a key that are the same work
  const conditions = createTally() // works of a key
  let open = 0

  function refuse(reason: RefusalReason, error: SignalboxError): never {
    onRefused(reason)
    throw error
  }

  return {
    admit: ({ keyId, address, view }) => {
      if (open >= maxClients) {
        const words = "no more streams are taken here now"
        refuse("full", new SignalboxError("unavailable", words, { retryAfter: 5 }))
      }
      if (byKey.of(keyId) >= maxClientsByKey) {
        refuse("key", tooMany(`this key has ${maxClientsByKey} streams open`))
      }
      if (byAddress.of(address) >= maxClientsByAddress) {
        refuse("address", tooMany(`there are ${maxClientsByAddress} streams open from your address`))
      }
      const work = workBy(keyId, view)
      if (work !== null && byWork.of(work) === 0 && conditions.of(keyId) >= maxConditionsByKey) {
        const words = `this key has streams open with ${maxConditionsByKey} different conditions (where)`
        refuse("conditions", tooMany(words))
      }
    },
    add: ({ keyId, address, view }) => {
      open++
      const work = workBy(keyId, view)
      if (work !== null) {
        if (byWork.of(work) === 0) conditions.add(keyId)
        byWork.add(work)
      }
      byKey.add(keyId)
      byAddress.add(address)
    },
    remove: ({ keyId, address, view }) => {
      open--
      const work = workBy(keyId, view)
      if (work !== null) {
        byWork.remove(work)
        if (byWork.of(work) === 0) conditions.remove(keyId)
      }
      byKey.remove(keyId)
      byAddress.remove(address)
    },
  }
}

function workBy(keyId: string, { work }: Comer["view"]): string | null {
  return work === null ? null : `${keyId} ${work}`
}

function tooMany(reason: string): SignalboxError {
  return new SignalboxError("too_many_requests", `${reason}: close some before you open another`, {
    retryAfter: 10,
  })
}

import { SignalboxError } from "../core/errors.ts"

/** A body that is still on its way, and what it holds of the budget with it. */
export interface Arriving {
  /** How much it is in the way: the more it holds and the slower it comes, the more. 0 for one just begun. */
  burden(): number
  /** Ends it, and gives its bytes back. */
  giveUp(error: SignalboxError): void
}

/** A count of bytes held at the same time, with a ceiling. */
export interface ByteBudget {
  /**
   * Counts bytes in. Where they would pass the ceiling, bodies that are more in the way than the one that
   * asks make room for it; throws `unavailable` (503) where none is.
   */
  take(bytes: number, by?: Arriving): void
  give(bytes: number): void
  /** Has a body make room for others until it is no longer `arriving`. */
  begin(arriving: Arriving): void
  end(arriving: Arriving): void
  readonly used: number
}

/** Makes a budget of `limit` bytes. */
export function createByteBudget(limit: number): ByteBudget {
  const arrivals = new Set<Arriving>()
  let used = 0

  /** Nobody knows yet who sends a body that is on its way: those that hold much and hardly come on hold up no others. */
  function worstBut(by: Arriving | undefined): Arriving | undefined {
    let worst: Arriving | undefined
    let most = by?.burden() ?? 0
    for (const one of arrivals) {
      const burden = one === by ? 0 : one.burden()
      if (burden > most) {
        worst = one
        most = burden
      }
    }
    return worst
  }

  return {
    take(bytes, by) {
      for (;;) {
        if (used + bytes <= limit) break
        const worst = worstBut(by)
        if (worst === undefined) throw tooMuch()
        arrivals.delete(worst)
        worst.giveUp(tooMuch())
      }
      used += bytes
    },
    give(bytes) {
      used -= bytes
    },
    begin: (arriving) => void arrivals.add(arriving),
    end: (arriving) => void arrivals.delete(arriving),
    get used() {
      return used
    },
  }
}

function tooMuch(): SignalboxError {
  return new SignalboxError("unavailable", "too much is waiting to be stored; try again shortly", {
    retryAfter: 1,
  })
}

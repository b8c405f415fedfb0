import { SignalboxError } from "../core/errors.ts"

/** A count of bytes held at the same time, with a ceiling. */
export interface ByteBudget {
  /** Counts bytes in; throws `unavailable` (503) where they would pass the ceiling. */
  take(bytes: number): void
  give(bytes: number): void
  readonly used: number
}

/** Makes a budget of `limit` bytes. */
export function createByteBudget(limit: number): ByteBudget {
  let used = 0
  return {
    take(bytes) {
      if (used + bytes > limit) {
        throw new SignalboxError("unavailable", "too much is waiting to be stored; try again shortly", {
          retryAfter: 1,
        })
      }
      used += bytes
    },
    give(bytes) {
      used -= bytes
    },
    get used() {
      return used
    },
  }
}

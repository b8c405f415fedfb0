import type { Clock } from "../core/clock.ts"
import type { Db } from "../store/database.ts"
import { touchSecrets } from "../store/source-secrets.ts"

/** Which secrets have verified requests of late. */
export interface Matches {
  /** Notes a match. */
  note(secretId: string): void
  /** Writes what was noted; where that fails it is kept for the next time. */
  write(db: Db): Promise<void>
}

const minuteMs = 60_000

/** Makes the notes. `isStored` tells the ids of stored secrets: others are kept nowhere, so they are bounded. */
export function createMatches(clock: Clock, isStored: (secretId: string) => boolean): Matches {
  /** The minute that was last noted of a secret. */
  const noted = new Map<string, number>()
  let waiting = new Set<string>()

  return {
    note(secretId) {
      const minute = Math.floor(clock().getTime() / minuteMs)
      if (noted.get(secretId) === minute || !isStored(secretId)) return
      noted.set(secretId, minute)
      waiting.add(secretId)
    },
    async write(db) {
      if (waiting.size === 0) return
      const written = waiting
      waiting = new Set()
      try {
        await touchSecrets(db, [...written], clock())
      } catch (error) {
        for (const id of written) waiting.add(id)
        throw error
      }
      for (const id of noted.keys()) if (!isStored(id)) noted.delete(id)
    },
  }
}

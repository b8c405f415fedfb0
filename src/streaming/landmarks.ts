import { judgePlace } from "../store/log-publications.ts"
import type { LogReader } from "../store/log-reader.ts"
import type { Entry } from "./entry.ts"

/** What stands where in the log. */
interface Place {
  position: number
  eventId: string
}

/** What a log is known again by: a standby that took over may have given its last places to others. */
export interface Landmarks {
  /** Notes what is newest now: what comes from elsewhere until the log is read again may be of another log. */
  lost(): void
  /** Whether it is another log than it was; where it is not, what was noted is forgotten. */
  isOther(reader: LogReader): Promise<boolean>
  /** Begins anew with another log. */
  forget(): void
}

/** Makes the landmarks of a reader; `newest` tells the last entry that it has. */
export function createLandmarks(newest: () => Entry | undefined): Landmarks {
  let atLoss: Place | undefined

  function newestPlace(): Place | undefined {
    const entry = newest()
    return entry?.kind === "event" ? { position: entry.position, eventId: entry.event.id } : undefined
  }

  return {
    lost: () => {
      atLoss ??= newestPlace()
    },
    isOther: async (reader) => {
      const places = [atLoss, newestPlace()].filter((place) => place !== undefined)
      for (const place of places)
        if ((await reader.use((db) => judgePlace(db, place))) === "other") return true
      atLoss = undefined
      return false
    },
    forget: () => {
      atLoss = undefined
    },
  }
}

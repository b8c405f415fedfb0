import { setTimeout as sleep } from "node:timers/promises"
import { ClaimLost } from "../queue/claim.ts"
import { failureOf } from "../store/failure.ts"

const maxTries = 5

/**
 * Runs `work` again where another transaction stood in its way: a deadlock, an event that another worker has
 * put into the log meanwhile and that is passed over next time, or a name that another has learned.
 */
export async function whileContended(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await work()
      return
    } catch (error) {
      const failure = error instanceof ClaimLost ? "other" : failureOf(error)
      if ((failure !== "contention" && failure !== "repeat") || tries === maxTries) throw error
      await sleep(20 * tries * (1 + Math.random()))
    }
  }
}

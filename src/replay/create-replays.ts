import type { Pool } from "pg"
import { createWaker } from "../consumers/waker.ts"
import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import { nextStepIn } from "../store/replay-steps.ts"
import { stepReplay } from "./step.ts"
import type { CompileName } from "./wanted.ts"

export interface ReplaysOptions {
  pool: Pool
  clock: Clock
  log: Log
  compileName: CompileName
  /** Between two looks for replays that others made (1,000). */
  pollMs?: number
}

/** Moves replays on, together with every other process that does. */
export interface Replays {
  /** Idempotent. */
  start(): void
  /** Finishes the step under way. Idempotent. */
  stop(): Promise<void>
}

const longestPauseMs = 10_000
const takenMs = 20

/** Makes what moves replays on; nothing happens before `start`. */
export function createReplays({ pool, clock, log, compileName, pollMs = 1_000 }: ReplaysOptions): Replays {
  const waker = createWaker()
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    let pauseMs = 0
    while (!stopping.signal.aborted) {
      try {
        const dueInMs = (await nextStepIn(pool)) ?? pollMs
        const stepped = dueInMs <= 0 && (await stepReplay({ pool, clock, compileName }))
        // What is due and was not taken is in the hands of another process.
        pauseMs = stepped ? 0 : Math.min(pollMs, Math.max(takenMs, dueInMs))
      } catch (error) {
        pauseMs = Math.min(longestPauseMs, Math.max(500, 2 * pauseMs))
        log.warn({ err: error }, "a replay could not go on and is tried again")
      }
      if (pauseMs > 0) await waker.sleep(pauseMs)
    }
  }

  return {
    start() {
      running ??= run()
    },
    async stop() {
      stopping.abort()
      waker.wake()
      await running
    },
  }
}

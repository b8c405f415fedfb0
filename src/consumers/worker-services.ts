import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import type { ReadLog } from "./log-window.ts"
import type { Ledger } from "./ledger.ts"
import type { OneAtATime } from "./one-at-a-time.ts"

/** What all partitions that a process works on share. */
export interface WorkerServices {
  pool: Pool
  ledger: Ledger
  read: ReadLog
  clock: Clock
  random: () => number
  log: Log
  /** Whether this member's leases are good by its own reckoning; nothing is started while they are not. */
  alive: () => boolean
  /** Runs events that may have ended a process one after another, whatever their consumer. */
  oneSuspectAtATime: OneAtATime
}

import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import type { Cursor, TakenLease } from "../store/consumer-leases.ts"
import type { ConsumerDefinition } from "./definition.ts"
import type { DeliveryDefinition } from "./delivery-definition.ts"
import type { ReadLog } from "./log-window.ts"
import type { Ledger } from "./ledger.ts"
import type { OneAtATime } from "./one-at-a-time.ts"

/** Whatever a partition can be worked on for. */
export type AnyDefinition = ConsumerDefinition | DeliveryDefinition

/** What all partitions that a process works on share. */
export interface WorkerServices {
  pool: Pool
  ledger: Ledger
  read: ReadLog
  /** Looks whether the log is still the one that was read. */
  checkLog: () => Promise<void>
  clock: Clock
  random: () => number
  log: Log
  /** Whether this member's leases are good by its own reckoning; nothing is started while they are not. */
  alive: () => boolean
  /** Runs events that may have ended a process one after another, whatever their consumer. */
  oneSuspectAtATime: OneAtATime
}

/** Works on one partition of one consumer for as long as it holds the lease. */
export interface PartitionWorker {
  lease: TakenLease
  /** Says that the log may have grown. */
  wake(): void
  /** Says that a delivery is due at a time; an early word costs a query, a missed one is said again. */
  noteDue(at: Date): void
  /** Goes on from what the database says, once what runs has ended: what it remembers may be wrong. */
  startOver(reason: Error): void
  /** How far it has read, where that is further than what is written. */
  unsavedCursor(): Cursor | undefined
  noteSaved(upTo: number): void
  /** Finishes what runs, gives back what does not run yet, and cuts short what runs past `deadline`. */
  stop(deadline: AbortSignal): Promise<void>
  /** Drops everything where it stands: the lease belongs to somebody else. */
  abandon(): void
}

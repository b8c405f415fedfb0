import type { Pool } from "pg"
import type { Log } from "../core/log.ts"
import {
  liveMembers,
  moveCursors,
  partitionStates,
  releaseLease,
  renewMember,
  takeLeases,
  tidyMembers,
  type TakenLease,
} from "../store/consumer-leases.ts"
import { leaseKey } from "../store/deliveries.ts"
import { assign } from "./assignment.ts"
import type { PartitionWorker } from "./worker-services.ts"

export interface LeaseKeeperOptions {
  pool: Pool
  /** This process among those that run consumers. */
  member: string
  leaseMs: number
  log: Log
  /** Ids of the consumers that this process is ready to run. */
  subscriptions: () => string[]
  /** Starts the work on a partition; undefined where its consumer was removed meanwhile. */
  startWorker: (lease: TakenLease) => PartitionWorker | undefined
}

/** Keeps this member alive and the right partitions in its hands. */
export interface LeaseKeeper {
  /** Renews, looks around, takes and gives back; to be called one at a time, well within `leaseMs`. */
  beat(): Promise<void>
  alive: () => boolean
  /** Wakes every worker. */
  wake(): void
  /** Makes every worker go on from what the database says. */
  startOver(reason: Error): void
  /** Stops the workers of a consumer, or all of them, and gives their partitions back. */
  release(subscriptionId: string | undefined, deadline: AbortSignal): Promise<void>
}

const tidyEveryMs = 60_000
const rebalanceMs = 30_000

/** Makes the lease keeper of a process. */
export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { pool, member, leaseMs, log, subscriptions, startWorker } = options
  const workers = new Map<string, PartitionWorker>()
  const leaving = new Map<string, Promise<void>>()
  let aliveUntil = 0
  let tidyAt = 0
  const alive = () => performance.now() < aliveUntil

  async function beat(): Promise<void> {
    const ids = subscriptions()
    if (ids.length === 0 && workers.size === 0) return
    const asked = performance.now() // before the server's clock is read, so that we never outlive the lease
    await renewMember(pool, member, ids, leaseMs)
    await saveCursors()
    const partitions = await partitionStates(pool, member, ids)
    const members = await liveMembers(pool, ids)
    const held = new Map([...workers].map(([key, worker]) => [key, worker.lease.fence]))
    const {
      take,
      release: surplus,
      forget,
      lost,
    } = assign({
      member,
      members,
      partitions,
      held,
      leaving: new Set(leaving.keys()),
    })
    for (const key of lost) drop(key)
    aliveUntil = asked + leaseMs
    for (const { dueAt, ...state } of partitions) {
      if (dueAt !== null) workers.get(leaseKey(state))?.noteDue(dueAt)
    }
    for (const key of surplus) void leave(key, AbortSignal.timeout(rebalanceMs))
    for (const lease of forget) await releaseLease(pool, lease)
    if (take.length > 0) {
      for (const lease of await takeLeases(pool, member, take)) {
        const worker = startWorker(lease)
        if (worker === undefined) await releaseLease(pool, lease)
        else workers.set(leaseKey(lease), worker)
      }
    }
    if (performance.now() >= tidyAt) {
      tidyAt = performance.now() + tidyEveryMs
      await tidyMembers(pool, ids)
    }
  }

  async function saveCursors(): Promise<void> {
    const cursors = [...workers.values()].flatMap((worker) => worker.unsavedCursor() ?? [])
    if (cursors.length === 0) return
    const moved = await moveCursors(pool, cursors)
    for (const cursor of cursors) {
      const worker = workers.get(leaseKey(cursor))
      if (moved.has(leaseKey(cursor))) worker?.noteSaved(cursor.position)
      else worker?.startOver(new Error("its cursor was refused"))
    }
  }

  function drop(key: string): void {
    log.warn({ lease: key }, "another member has taken this partition over")
    workers.get(key)?.abandon()
    workers.delete(key)
  }

  function wake(): void {
    for (const worker of workers.values()) worker.wake()
  }

  function startOver(reason: Error): void {
    for (const worker of workers.values()) worker.startOver(reason)
  }

  async function leave(key: string, deadline: AbortSignal): Promise<void> {
    const worker = workers.get(key)
    if (worker === undefined) return
    let left = leaving.get(key)
    if (left === undefined) {
      left = giveBack(key, worker, deadline)
      leaving.set(key, left)
    }
    return left
  }

  async function giveBack(key: string, worker: PartitionWorker, deadline: AbortSignal): Promise<void> {
    await worker.stop(deadline)
    await releaseLease(pool, worker.lease).catch((error: unknown) => {
      log.warn({ err: error, lease: key }, "a lease could not be given back: it ends by itself")
    })
    leaving.delete(key)
    if (workers.get(key) === worker) workers.delete(key)
  }

  async function release(subscriptionId: string | undefined, deadline: AbortSignal): Promise<void> {
    const chosen = [...workers].filter(
      ([, worker]) => subscriptionId === undefined || worker.lease.subscriptionId === subscriptionId,
    )
    await Promise.all(chosen.map(([key]) => leave(key, deadline)))
  }

  return { beat, alive, wake, startOver, release }
}

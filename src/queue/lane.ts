import { setTimeout as sleep } from "node:timers/promises"
import type { PgBoss } from "pg-boss"
import type { Priority } from "../core/envelope.ts"
import { cleanText } from "../core/text.ts"
import type { Claim, ClaimedJob, JobData } from "./claim.ts"
import { queueOf } from "./queues.ts"
import { within } from "./within.ts"

/** Does the work of a claim, completing its jobs in the transaction that holds its results. */
export type ClaimHandler = (claim: Claim) => Promise<void>

export interface LaneOptions {
  boss: Pick<PgBoss, "fetch" | "fail" | "touch">
  priority: Priority
  /** Claims worked on at the same time. */
  slots: number
  /** Least time between two looks at the queue while it is not full: jobs gather meanwhile. */
  spacingMs: number
  handler: ClaimHandler
  /** Told when the queue cannot be read or jobs cannot be given back; the lane goes on. */
  onError: (error: unknown) => void
}

/** The workers of one queue. */
export interface Lane {
  /** Says that there may be something to do. */
  wake: () => void
  /** Whether its last look at the queue was answered. */
  readonly reads: boolean
  /**
   * Takes nothing more, waits for what is in work for `patienceMs`, and gives back what is left then.
   * Never rejects: jobs that could not be given back come back when their heartbeat is missed.
   */
  stop(patienceMs: number): Promise<void>
}

const batchSize = 8
const pollMs = 500
const heartbeatMs = 4_000
const lookPatienceMs = 2_000
const giveBackMs = 3_000

/**
 * Works on one queue: looks when it is woken, and every half second in case nobody woke it (jobs that
 * were put off come without a hint), takes some jobs together as one claim, and shows by heartbeats
 * that it is alive. A claim whose handler throws is given back at once.
 */
export function openLane({ boss, priority, slots, spacingMs, handler, onError }: LaneOptions): Lane {
  const queue = queueOf[priority]
  const working = new Map<Promise<void>, { jobs: ClaimedJob[]; lose: AbortController }>()
  const stopping = new AbortController()
  let freed: (() => void) | undefined
  let isClosed = false
  let reads = true
  let alarm = Promise.withResolvers<void>()
  const looking = look()

  return {
    wake: () => alarm.resolve(),
    get reads() {
      return reads
    },
    async stop(patienceMs) {
      stopping.abort()
      freed?.()
      alarm.resolve()
      const began = performance.now()
      await within(Math.min(patienceMs, lookPatienceMs), looking)
      isClosed = true // a look that is still under way gives back what it finds
      await within(patienceMs - (performance.now() - began), Promise.all(working.keys()))
      const reason = new Error("this process stops")
      const left = [...working.values()]
      for (const { lose } of left) lose.abort(reason)
      const jobs = left.flatMap((work) => work.jobs)
      if (jobs.length > 0) await within(giveBackMs, giveUp(jobs))
    },
  }

  async function look(): Promise<void> {
    let isFull = true // the first look needs no alarm
    for (let lookedAt = -Infinity; !stopping.signal.aborted;) {
      if (working.size >= slots) {
        await untilFreed()
        continue
      }
      if (!isFull) {
        await untilAlarm(pollMs)
        const waitMs = lookedAt + spacingMs - performance.now()
        if (waitMs > 0) await sleep(waitMs)
      }
      alarm = Promise.withResolvers<void>()
      lookedAt = performance.now()
      isFull = await take()
    }
  }

  /** Takes a claim, if there is one, and answers whether there may be more. */
  async function take(): Promise<boolean> {
    try {
      const fetched = await boss.fetch<JobData>(queue, { batchSize })
      reads = true
      if (fetched.length === 0) return false
      const jobs = fetched.map(({ id, retryCount, data }) => ({ id, retryCount, eventIds: data.eventIds }))
      if (isClosed) {
        await giveUp(jobs)
        return false
      }
      const lose = new AbortController()
      const work = workOn(jobs, lose).finally(() => {
        working.delete(work)
        freed?.()
      })
      working.set(work, { jobs, lose })
      return fetched.length === batchSize
    } catch (error) {
      reads = false
      onError(error)
      return false
    }
  }

  // No race against a promise that lives as long as the lane: it would keep every race's outcome.
  async function untilFreed(): Promise<void> {
    await new Promise<void>((resolve) => {
      freed = resolve
    })
    freed = undefined
  }

  async function untilAlarm(ms: number): Promise<void> {
    const timer = setTimeout(alarm.resolve, ms)
    await alarm.promise
    clearTimeout(timer)
  }

  async function workOn(jobs: ClaimedJob[], lose: AbortController): Promise<void> {
    const heart = setInterval(() => void beat(jobs, lose), heartbeatMs)
    try {
      await handler({ priority, jobs, signal: lose.signal })
    } catch (error) {
      await giveBack(jobs, error, lose.signal)
    } finally {
      clearInterval(heart)
    }
  }

  async function beat(jobs: ClaimedJob[], lose: AbortController): Promise<void> {
    const touched = await boss.touch(queue, jobs).catch(() => undefined)
    // A heartbeat that could not be sent says nothing; one that found no claim does.
    if (touched !== undefined && "affected" in touched && touched.affected === 0) {
      lose.abort(new Error("the jobs were taken over by another worker"))
    }
  }

  /** Gives back jobs of a lane that stops. */
  async function giveUp(jobs: ClaimedJob[]): Promise<void> {
    await boss.fail(queue, jobs, { message: "this process stops" }).catch(onError)
  }

  /** Gives jobs back; those completed before the handler threw stay completed. */
  async function giveBack(jobs: ClaimedJob[], error: unknown, signal: AbortSignal): Promise<void> {
    const reason = { message: cleanText(error instanceof Error ? error.message : String(error)) }
    for (let waitMs = 100; waitMs < 5_000 && !signal.aborted; waitMs *= 2) {
      const isDone = await boss.fail(queue, jobs, reason).then(
        () => true,
        () => false,
      )
      if (isDone) break
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    alarm.resolve()
  }
}

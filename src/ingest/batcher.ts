import { SignalboxError } from "../core/errors.ts"
import type { NewEvent } from "../store/events.ts"
import type { Outcomes } from "./persist-batch.ts"
import type { Receipt } from "./write-batch.ts"

export interface BatcherOptions {
  persist: (events: readonly NewEvent[]) => Promise<Outcomes>
  /** Batches written at the same time (2): one fills while the other waits for the disk. */
  inFlight?: number
  /** Events in a batch (50). */
  maxEvents?: number
  /** Bytes of bodies in a batch (4 MiB); a larger body makes a batch of its own. */
  maxBytes?: number
}

/** Gathers events that arrive together into one transaction. */
export interface Batcher {
  /** Resolves once the event is committed, or known to be a repeat. */
  add(event: NewEvent): Promise<Receipt>
  /** Takes nothing more, writes what waits, and resolves when every answer is known. Idempotent. */
  close(): Promise<void>
}

interface Waiting {
  event: NewEvent
  resolve: (receipt: Receipt) => void
  reject: (error: SignalboxError) => void
}

/**
 * Makes a batcher. No timer holds an event back: a batch leaves as soon as one of the `inFlight`
 * slots is free, so batches are small while there is little to do and grow with the load.
 */
export function createBatcher({
  persist,
  inFlight = 2,
  maxEvents = 50,
  maxBytes = 4 * 1024 * 1024,
}: BatcherOptions): Batcher {
  const waiting: Waiting[] = []
  const running = new Set<Promise<void>>()
  let scheduled = false
  let closing = false

  function schedule(): void {
    if (scheduled || waiting.length === 0 || running.size >= inFlight) return
    scheduled = true
    // After the sockets that are ready now have been read: their requests leave together.
    setImmediate(start)
  }

  function start(): void {
    scheduled = false
    while (waiting.length > 0 && running.size < inFlight) {
      const run = settle(takeBatch()).finally(() => {
        running.delete(run)
        schedule()
      })
      running.add(run)
    }
  }

  function takeBatch(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const { event } of waiting) {
      bytes += event.raw.length
      if (count === maxEvents || (count > 0 && bytes > maxBytes)) break
      count++
    }
    return waiting.splice(0, count)
  }

  async function settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await persist(batch.map(({ event }) => event))
      for (const { event, resolve, reject } of batch) {
        const outcome = outcomes.get(event.id)
        if (outcome === undefined) reject(unknownOutcome())
        else if (outcome instanceof SignalboxError) reject(outcome)
        else resolve(outcome)
      }
    } catch (cause) {
      const error = cause instanceof SignalboxError ? cause : unknownOutcome(cause)
      // The database was away for as long as patience lasts: the others need not try it in turn.
      const turnedAway = error.retryable ? [...batch, ...waiting.splice(0)] : batch
      for (const { reject } of turnedAway) reject(error)
    }
  }

  return {
    add(event) {
      if (closing) return Promise.reject(shuttingDown())
      return new Promise((resolve, reject) => {
        waiting.push({ event, resolve, reject })
        schedule()
      })
    },
    async close() {
      closing = true
      start()
      while (running.size > 0) {
        await Promise.all(running)
        start()
      }
    },
  }
}

/** The refusal of work that arrives while the process ends. */
export function shuttingDown(): SignalboxError {
  return new SignalboxError("unavailable", "this server is shutting down; try again", { retryAfter: 1 })
}

function unknownOutcome(cause?: unknown): SignalboxError {
  return new SignalboxError("internal", "the event could not be stored", { cause })
}

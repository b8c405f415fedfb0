import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../core/errors.ts"
import type { NewEvent } from "../store/events.ts"
import type { Outcomes, Wanted } from "./persist-batch.ts"
import type { Receipt } from "./write-batch.ts"

export interface BatcherOptions {
  persist: (events: readonly NewEvent[], wanted: Wanted, alone?: boolean) => Promise<Outcomes>
  /** Batches written at the same time (2): one fills while the other waits for the disk. */
  inFlight?: number
  /** Events in a batch (50). */
  maxEvents?: number
  /** Bytes of bodies in a batch (4 MiB); a larger body makes a batch of its own. */
  maxBytes?: number
  /** Events that may wait (10,000): each holds a request and its connection. */
  maxWaiting?: number
}

/** Gathers events that arrive together into one transaction. */
export interface Batcher {
  /**
   * Resolves once the event is committed, or known to be a repeat. At `answerBy`, in the milliseconds of
   * `performance.now()`, it rejects as `unavailable`: an event that waits is not written then, and one
   * that is being written may turn out stored.
   */
  add(event: NewEvent, answerBy: number): Promise<Receipt>
  /** Takes nothing more, writes what waits, and resolves when every answer is known. Idempotent. */
  close(): Promise<void>
}

interface Waiting {
  event: NewEvent
  answerBy: number
  answered: boolean
  resolve: (receipt: Receipt) => void
  reject: (error: SignalboxError) => void
}

/** How long a batch gathers at most where nothing is being written. */
const gatherMs = 2
/** How long a small batch waits for the one that is being written. */
const overdueMs = 10
const lookMs = 50
const contendedPauseMs = 20

/**
 * Makes a batcher. A batch costs nearly as much as its events. Where nothing is being written it leaves
 * at once, or where the one before says that more is on its way, within 2 ms; beside another one it
 * leaves when it is half full, or after 10 ms, so that a slow commit holds up nobody else. So batches are
 * small while there is little to do and grow with the load. What met another transaction's locks is tried
 * alone, beside the slots and in turn, so that whoever holds those locks stops nothing else.
 */
export function createBatcher({
  persist,
  inFlight = 2,
  maxEvents = 50,
  maxBytes = 4 * 1024 * 1024,
  maxWaiting = 10_000,
}: BatcherOptions): Batcher {
  // No Map or Set here sees every event: V8 links a table that such a one has outgrown to the next, and
  // one dead link among the old objects keeps all that come after it, until the heap is marked whole.
  let waiting: Waiting[] = []
  const contended: Waiting[] = []
  const writing: (readonly Waiting[])[] = []
  /** Those being written that nobody waits for any more. */
  const givenUp = new Set<NewEvent>()
  let busy = 0
  let alone = false
  let onEnd: (() => void) | undefined
  let looking: NodeJS.Timeout | undefined
  /** Events that should come soon: senders that were answered together send again together. */
  let expected = 1
  let gathering = false
  let overdue: NodeJS.Timeout | undefined
  let closing = false

  const wanted: Wanted = (event) => !givenUp.has(event)

  function schedule(): void {
    if (gathering || waiting.length === 0 || busy >= inFlight) return
    if (busy > 0 ? !isWorthASlot() : waiting.length < expected && !closing) {
      overdue ??= setTimeout(start, busy > 0 ? overdueMs : gatherMs)
      return
    }
    gathering = true
    gather(waiting.length, performance.now() + gatherMs)
  }

  /** Whether what waits is enough to be written beside another batch. */
  function isWorthASlot(): boolean {
    if (closing || waiting.length >= maxEvents / 2) return true
    let bytes = 0
    for (const { event } of waiting) bytes += event.raw.length
    return bytes >= maxBytes / 2
  }

  /** Each turn of the event loop takes in what the sockets hold; as long as it does, more is on its way. */
  function gather(seen: number, until: number): void {
    setImmediate(() => {
      const now = waiting.length
      if (now > seen && now < maxEvents && performance.now() < until) gather(now, until)
      else start()
    })
  }

  function start(): void {
    gathering = false
    clearTimeout(overdue)
    overdue = undefined
    if (waiting.length > 0 && busy < inFlight) launch()
    while (waiting.length > 0 && busy < inFlight && isWorthASlot()) launch()
    schedule()
  }

  function launch(): void {
    busy++
    const batch = takeBatch()
    expected = Math.ceil(batch.length * (3 / 4))
    void write(batch)
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    await settle(batch)
    busy--
    clearTimeout(overdue) // it was to end a wait for what has ended now
    overdue = undefined
    schedule()
    onEnd?.()
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

  async function settle(batch: readonly Waiting[], isAlone = false): Promise<void> {
    writing.push(batch)
    try {
      const events = batch.map(({ event }) => event)
      const outcomes = await persist(events, wanted, isAlone)
      for (const one of batch) {
        const outcome = outcomes.get(one.event.id)
        if (outcome === "contended") contended.push(one)
        else answer(one, outcome ?? unknownOutcome())
      }
    } catch (cause) {
      for (const one of batch) answer(one, cause instanceof SignalboxError ? cause : unknownOutcome(cause))
    }
    writing.splice(writing.indexOf(batch), 1)
    if (givenUp.size > 0) for (const { event } of batch) givenUp.delete(event)
    if (contended.length === 0 || alone) return
    alone = true
    void writeContended()
  }

  async function writeContended(): Promise<void> {
    for (let next = contended.shift(); next !== undefined; next = contended.shift()) {
      if (next.answered) continue
      const before = contended.length
      await settle([next], true)
      if (contended.length > before) await sleep(contendedPauseMs)
    }
    alone = false
    onEnd?.()
  }

  function answer(one: Waiting, outcome: Receipt | SignalboxError): void {
    if (one.answered) return // given up before
    one.answered = true
    if (outcome instanceof SignalboxError) one.reject(outcome)
    else one.resolve(outcome)
  }

  /** One look at all of them now and then costs less than a timer each. */
  function look(): void {
    const now = performance.now()
    const isLate = (one: Waiting) => !one.answered && one.answerBy <= now
    for (const one of [...waiting, ...contended].filter(isLate)) answer(one, notInTime())
    waiting = waiting.filter(({ answered }) => !answered)
    for (const one of writing.flat().filter(isLate)) {
      givenUp.add(one.event)
      answer(one, notInTime())
    }
    if (waiting.length + contended.length + writing.length > 0) return
    clearInterval(looking)
    looking = undefined
  }

  return {
    add(event, answerBy) {
      if (closing) return Promise.reject(shuttingDown())
      if (waiting.length >= maxWaiting) return Promise.reject(tooMuch())
      return new Promise((resolve, reject) => {
        waiting.push({ event, answerBy, answered: false, resolve, reject })
        looking ??= setInterval(look, lookMs)
        schedule()
      })
    },
    async close() {
      closing = true
      start()
      while (waiting.length + writing.length + contended.length > 0) {
        await new Promise<void>((resolve) => (onEnd = resolve))
        start()
      }
      clearInterval(looking)
    },
  }
}

/** The refusal of work that arrives while the process ends. */
export function shuttingDown(): SignalboxError {
  return new SignalboxError("unavailable", "this server is shutting down; try again", { retryAfter: 1 })
}

function notInTime(): SignalboxError {
  const message = "the event could not be stored in the time that its sender waits; try again"
  return new SignalboxError("unavailable", message, { retryAfter: 5 })
}

function tooMuch(): SignalboxError {
  return new SignalboxError("unavailable", "too much is waiting to be stored; try again", { retryAfter: 5 })
}

function unknownOutcome(cause?: unknown): SignalboxError {
  return new SignalboxError("internal", "the event could not be stored", { cause })
}

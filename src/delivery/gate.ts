import type { Gate } from "../consumers/delivery-definition.ts"
import type { Breaker } from "./breaker.ts"
import type { RateLimit } from "./rate-limit.ts"

/** Counts what runs to a receiver, and says when more may. */
export interface EndpointGate extends Gate {
  /** Told of every start and every end. */
  entered(): void
  left(): void
  /** Looks again: the breaker was told something. */
  look(): void
  /** Lets nothing start any more. */
  shut(): void
}

export interface GateOptions {
  /** Attempts at the same time, over all processes. */
  concurrency: number
  /** Into how many the subscription is dealt: a process has the share of those that it works on. */
  partitions: number
  rate: RateLimit
  breaker: Breaker
  /** Milliseconds of a clock that does not go back. */
  now?: () => number
}

const longestTimer = 60_000

/** Makes the gate of one endpoint in this process. */
export function createGate(options: GateOptions): EndpointGate {
  const { concurrency, partitions, rate, breaker, now = () => performance.now() } = options
  const pumps = new Set<() => void>()
  let running = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined

  const part = () => Math.max(1, pumps.size) / partitions
  const share = () => Math.max(1, Math.floor(concurrency * part()))

  function pumpAll(): void {
    for (const pump of pumps) pump()
  }

  function wakeAt(at: number, from: number): void {
    if (timer !== undefined || !Number.isFinite(at)) return
    timer = setTimeout(
      () => {
        timer = undefined
        pumpAll()
      },
      Math.min(Math.max(1, Math.ceil(at - from)), longestTimer),
    )
    timer.unref()
  }

  return {
    open() {
      if (closed || running >= share()) return false
      const at = now()
      const allowedAt = breaker.allows(at) ? rate.nextAt(at, part()) : breaker.asksAgainAt()
      if (allowedAt <= at) return true
      wakeAt(allowedAt, at)
      return false
    },
    attend(pump) {
      pumps.add(pump)
      return () => {
        pumps.delete(pump)
        if (pumps.size === 0) clearTimeout(timer)
        if (pumps.size === 0) timer = undefined
      }
    },
    entered() {
      running++
      rate.take(now(), part())
      breaker.started()
    },
    left() {
      running--
      // The lane of what has ended looks by itself; the others know nothing of it.
      if (pumps.size > 1) queueMicrotask(pumpAll)
    },
    look() {
      clearTimeout(timer)
      timer = undefined
      pumpAll()
    },
    shut() {
      closed = true
    },
  }
}

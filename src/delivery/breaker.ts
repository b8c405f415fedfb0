/** Spares a receiver that only fails: it is probed at growing intervals until it answers. */
export interface Breaker {
  /** Whether an attempt may start at `now`; while it is open, one probe at a time. */
  allows(now: number): boolean
  /** When it may be asked again, where it does not allow an attempt; Infinity while a probe runs. */
  asksAgainAt(): number
  /** Told of every start. */
  started(): void
  succeeded(): void
  /** Told of a failure of an event; `waitMs` is what the receiver asked for itself. */
  failed(eventId: string, now: number, waitMs: number): void
  /** Told that an attempt was cut short and tells nothing. */
  undecided(): void
  /** What the other processes that send to it should know as of `now`. */
  rest(now: number): Rest
  /** Told what another process knows: nothing is tried before it would, and all is well where it says so. */
  adopt(rest: Rest, now: number): void
}

/** How a receiver is spared. */
export interface Rest {
  /** Milliseconds for which nothing is sent; 0 where something may be. */
  restMs: number
  /** Milliseconds between probes; 0 where none are needed. */
  intervalMs: number
}

/** So many different events in a row must have failed: one that always fails says nothing of the receiver. */
const threshold = 5
const firstProbeMs = 5_000
const longestProbeMs = 900_000
const jitter = 0.2

/** Makes a breaker, closed. `random` is a chance from 0 up to 1; `onChange` is called when others should know. */
export function createBreaker(random: () => number, onChange: () => void = () => {}): Breaker {
  let failing = new Set<string>()
  let intervalMs = 0 // 0 while it is closed
  let openUntil = 0
  let waitUntil = 0 // as the receiver asked
  let probing = false

  function openFor(now: number): void {
    openUntil = now + intervalMs * (1 - jitter + 2 * jitter * random())
    onChange()
  }

  function close(): void {
    failing = new Set()
    intervalMs = 0
    openUntil = 0
    probing = false
  }

  return {
    allows: (now) => now >= waitUntil && (intervalMs === 0 || (!probing && now >= openUntil)),
    asksAgainAt: () => (probing && intervalMs > 0 ? Infinity : Math.max(waitUntil, openUntil)),
    started() {
      if (intervalMs > 0) probing = true
    },
    succeeded() {
      const wasOpen = intervalMs > 0
      close()
      if (wasOpen) onChange()
    },
    failed(eventId, now, waitMs) {
      if (waitMs > 0) {
        waitUntil = Math.max(waitUntil, now + waitMs)
        onChange()
      }
      if (intervalMs > 0) {
        if (!probing) return // it was under way when the breaker opened
        probing = false
        intervalMs = Math.min(2 * intervalMs, longestProbeMs)
        openFor(now)
        return
      }
      failing.add(eventId)
      if (failing.size < threshold) return
      intervalMs = firstProbeMs
      openFor(now)
    },
    undecided() {
      probing = false
    },
    rest: (now) => ({ restMs: Math.max(0, waitUntil - now, openUntil - now), intervalMs }),
    adopt(rest, now) {
      if (rest.intervalMs > 0) {
        intervalMs = Math.max(intervalMs, rest.intervalMs)
        openUntil = Math.max(openUntil, now + rest.restMs)
      } else if (intervalMs > 0 && !probing) close()
      if (rest.intervalMs === 0) waitUntil = Math.max(waitUntil, now + rest.restMs)
    },
  }
}

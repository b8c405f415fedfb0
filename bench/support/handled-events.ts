import { setTimeout as sleep } from "node:timers/promises"
import { latenciesOf, type Latencies } from "./latencies.ts"

/** Counts what the members of a bench handle, and notes when. */
export interface HandledEvents {
  /** Notes an event, which is the n-th of those that are measured. */
  handle(n: number): void
  /** Resolves once so many were handled since the last call. */
  count(events: number): Promise<void>
  measure(run: {
    startNs: bigint
    intervalMs: number
    events: number
    deadlineMs: number
  }): Promise<Latencies>
}

/** Makes the count. An event that comes twice is counted once where it is measured. */
export function createHandledEvents(): HandledEvents {
  const state = { handled: 0 }
  let run: { startNs: bigint; intervalMs: number; latencies: Map<number, number> } | undefined

  return {
    handle(n) {
      state.handled++
      if (run === undefined || run.latencies.has(n)) return
      run.latencies.set(n, Number(process.hrtime.bigint() - run.startNs) / 1e6 - n * run.intervalMs)
    },
    async count(events) {
      while (state.handled < events) await sleep(2)
      state.handled = 0
    },
    async measure({ startNs, intervalMs, events, deadlineMs }) {
      const measured = (run = { startNs, intervalMs, latencies: new Map<number, number>() })
      process.send?.({ ready: true })
      const deadline = performance.now() + deadlineMs + events * intervalMs
      while (measured.latencies.size < events && performance.now() < deadline) await sleep(10)
      run = undefined
      state.handled = 0
      const missing = events - measured.latencies.size
      const late = Array.from({ length: missing }, () => deadlineMs)
      return latenciesOf([...measured.latencies.values(), ...late], missing)
    },
  }
}

import type { FlowReport, StreamStage } from "./stream-stage.ts"

export interface CapacityOptions {
  clients: number
  /** The p99 that a rate may have. */
  p99LimitMs: number
  progress: (line: string) => void
}

export interface Capacity {
  /** The highest rate whose p99 stayed within the limit; 0 where not even the lowest did. */
  eventsPerSecond: number
  /** All that was tried. */
  probes: (Pick<FlowReport, "p50Ms" | "p99Ms" | "missing" | "cpuMicrosPerFrame"> & {
    eventsPerSecond: number
  })[]
}

/** 10, 12, … events a second: each step a quarter more. */
const rates = Array.from({ length: 26 }, (_, step) => Math.round(10 * 1.25 ** step))
const firstStep = 6 // about 40 events a second
const leap = 4
const seconds = { warmUp: 1, probe: 3 }

/** Searches the rate: leaps upward until the limit is passed, then halves what lies between. */
export async function findCapacity(stage: StreamStage, options: CapacityOptions): Promise<Capacity> {
  const probes: Capacity["probes"] = []

  /** A rate that fails is tried again: whatever else the machine did may have been the reason. */
  async function holds(step: number): Promise<boolean> {
    return (await holdsOnce(step)) || (await holdsOnce(step))
  }

  async function holdsOnce(step: number): Promise<boolean> {
    const { clients, p99LimitMs, progress } = options
    const eventsPerSecond = rates[step] ?? 0
    await stage.connect(clients) // anew: what an earlier probe left behind is not this one's
    const flow = { clients, eventsPerSecond, deadlineMs: 2_000 }
    const warm = await stage.flow({ ...flow, seconds: seconds.warmUp })
    if (warm.missing > 0) return false
    const { p50Ms, p99Ms, missing, cpuMicrosPerFrame } = await stage.flow({ ...flow, seconds: seconds.probe })
    probes.push({ eventsPerSecond, p50Ms, p99Ms, missing, cpuMicrosPerFrame })
    progress(`${eventsPerSecond} events/s: p50 ${p50Ms} ms, p99 ${p99Ms} ms`)
    return missing === 0 && p99Ms <= p99LimitMs
  }

  let good = -1
  let bad = rates.length
  let step = firstStep
  while (bad - good > 1) {
    if (await holds(step)) good = step
    else bad = step
    step = bad === rates.length ? Math.min(good + leap, bad - 1) : (good + bad) >> 1
  }
  return { eventsPerSecond: rates[good] ?? 0, probes }
}

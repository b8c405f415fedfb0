import { round } from "./statistics.ts"

/** How long the frames of a round took to come. */
export interface Latencies {
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
  /** Frames that had not come by the deadline; they count as if they had come then. */
  missing: number
}

/** The figures of frames, of which so many did not come. Throws on none. */
export function latenciesOf(framesMs: Iterable<number>, missing: number): Latencies {
  const sorted = Float64Array.from(framesMs).toSorted() // of millions: sorted once, and as numbers
  const percentile = (fraction: number): number => {
    const value = sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]
    if (value === undefined) throw new Error("no frames")
    return round(value)
  }
  return {
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    maxMs: percentile(1),
    missing,
  }
}

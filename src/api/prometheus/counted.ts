import { Counter, Histogram, type Registry } from "prom-client"

/** Counts what a process has processed, as it goes. */
export interface ProcessedCounts {
  /** `ms`: from an event's receipt until it was written to the log, or given up. */
  count(event: { platform: string; ms: number; dead: boolean }): void
}

/** Registers the counts. */
export function countProcessed(registry: Registry): ProcessedCounts {
  const seconds = new Histogram({
    name: "signalbox_event_processing_seconds",
    help: "From the receipt of an event until it was written to the log, by this process",
    labelNames: ["platform"],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
    registers: [registry],
  })
  const dead = new Counter({
    name: "signalbox_events_dead_total",
    help: "Events that used up their attempts in processing and became dead letters, by this process",
    labelNames: ["platform"],
    registers: [registry],
  })
  return {
    count: ({ platform, ms, dead: isDead }) => {
      if (isDead) dead.inc({ platform })
      else seconds.observe({ platform }, ms / 1_000)
    },
  }
}

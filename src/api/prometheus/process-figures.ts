import type { Components } from "../../core/component.ts"
import type { NatsMetrics } from "../nats-metrics.ts"

/** How the streams of a process do; what is counted is so since its start. */
export interface StreamFigures {
  byTransport: Readonly<Record<string, number>>
  catchingUp: number
  unsentBytes: number
  /** Positions that the one furthest behind is behind the head. */
  lag: { max: number }
  feed: { position: number }
  opened: number
  bytes: number
  events: number
  droppedBy: Readonly<Record<string, number>>
  endedBy: Readonly<Record<string, number>>
  refusedBy: Readonly<Record<string, number>>
  catchUpReads: number
}

/** Connections to the database that a part of a process may have. */
export interface PoolFigures {
  totalCount: number
  idleCount: number
  /** Who waits for one. */
  waitingCount: number
}

/** What a process knows of itself, without the database. */
export interface ProcessFigures {
  roles: readonly string[]
  components: Components
  pools: Readonly<Record<string, PoolFigures>>
  /** Where it serves streams. */
  streams?: (() => StreamFigures) | undefined
  /** Where NATS is used. */
  nats?: NatsMetrics | undefined
}

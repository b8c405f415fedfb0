import type { LoggedEvent } from "../core/envelope.ts"
import type { AttemptRecord } from "../store/deliveries.ts"
import type { Db } from "../store/database.ts"
import type { ConsumerTraits, Gap } from "./definition.ts"

/** What came of an attempt that tells for itself. */
export interface AttemptOutcome {
  status: "delivered" | "retrying" | "dead" | "skipped"
  /** Milliseconds until it is due again, where `status` is `retrying`. */
  waitMs?: number
  errorCode?: string
  error?: string
  /** Kept as data, apart from the delivery. */
  record?: AttemptRecord
}

/** Holds attempts back: a limit, a breaker. All partitions of a consumer in a process share it. */
export interface Gate {
  /** Whether another attempt may start now. */
  open(): boolean
  /** Registers a partition: `pump` is called whenever `open` may answer otherwise. Answers how to leave. */
  attend(pump: () => void): () => void
}

/** A consumer that is stored before it runs, and decides itself what an attempt comes to: a webhook subscription. */
export interface DeliveryDefinition extends Omit<ConsumerTraits, "from" | "partitions" | "concurrency"> {
  id: string
  /**
   * Makes an attempt; undefined where `signal` cut it short. It starts at once, within the call, and
   * cannot harm its process: events that were under way when one ended are not run one by one. `replayId`
   * is the replay that hands the event on, null for one that came by itself.
   */
  attempt(
    event: LoggedEvent,
    attempt: number,
    signal: AbortSignal,
    replayId: string | null,
  ): Promise<AttemptOutcome | undefined>
  /** Tells of a gap within the transaction that moves the cursor behind it: once. */
  onGap?: ((db: Db, gap: Gap) => Promise<unknown>) | undefined
  gate: Gate
  /** About how many attempts run at a time: so much the more is held ready to start. */
  width: number
  /** Whether an event that fails holds up the later ones of its entity, and nothing else. */
  ordered: boolean
  /** Makes no attempts: what comes is recorded as skipped. */
  skips: boolean
}

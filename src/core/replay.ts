import type { Filter } from "./filter.ts"

/** What may have become of an event at a consumer before it is replayed to it. */
export const replayedDeliveries = ["delivered", "dead", "skipped"] as const
export type ReplayedDelivery = (typeof replayedDeliveries)[number]

/** `paused` and `cancelled` begin nothing; what runs already comes to its end all the same. */
export const replayStatuses = ["running", "paused", "cancelled", "completed"] as const
export type ReplayStatus = (typeof replayStatuses)[number]

/** Which events of the past are meant: all that is said must hold, besides what the consumer itself wants. */
export interface ReplayChoice {
  filter: Filter
  /** Times of receipt, `until` excluded. */
  since: Date | null
  until: Date | null
  correlationId: string | null
  /** Only events of which this became here before; null for whatever became of them, and for new ones. */
  deliveries: readonly ReplayedDelivery[] | null
}

/** A replay as it is asked for. */
export interface ReplayRequest extends ReplayChoice {
  /** Id or name of the consumer. */
  to: string
  /** Key of an entity, whose timeline as it stands now is meant. */
  entity: string | null
  /** The position after which it begins; null for the earliest there is. */
  after: number | null
  /** The last position; null for the newest there is. */
  upTo: number | null
  /** Events a second; null for as fast as the consumer takes them. */
  ratePerSecond: number | null
  /** So many events are handed on and not settled, at most. */
  maxOutstanding: number
}

/** The consumer of a replay. */
export interface ReplayConsumer {
  id: string
  name: string
  kind: "handler" | "callback" | "webhook" | "group"
  /** `active`, or why nothing reaches it now. */
  status: "active" | "paused" | "skipping" | "disabled"
}

/** A replay as it stands. */
export interface Replay extends ReplayChoice {
  id: string
  tenant: string
  consumer: ReplayConsumer
  entities: readonly string[] | null
  after: number
  upTo: number
  ratePerSecond: number | null
  maxOutstanding: number
  status: ReplayStatus
  /** Up to here the log was looked through. */
  position: number
  /** How many events it is likely to be, at most so many unless exact; null where it takes too long to count. */
  estimate: number | null
  estimateExact: boolean
  matched: number
  /** Matched and left alone: they are on their way to the consumer already. */
  underWay: number
  delivered: number
  failed: number
  skipped: number
  withdrawn: number
  /** Handed on and not settled. */
  outstanding: number
  /** What retention has dropped of it before it was looked at: some positions between these at least. */
  gap: ReplayGap | null
  createdAt: Date
  finishedAt: Date | null
}

/** What a replay would be. */
export interface ReplayEstimate {
  consumer: ReplayConsumer
  after: number
  upTo: number
  /** At most so many events unless exact; null where it takes too long to count. */
  events: number | null
  exact: boolean
}

/** Positions that were asked for and that retention has dropped. */
export interface ReplayGap {
  from: number
  to: number
}

/** Makes replays and ends them. Whoever has `everyTenant` also reaches the consumers that take every tenant's events. */
export interface ReplayAdmin {
  /** Throws `not_found` for a consumer or an entity that is not there. */
  estimate(
    tenant: string,
    request: ReplayRequest,
    who: { everyTenant: boolean },
  ): Promise<ReplayEstimate & { gap: ReplayGap | null }>
  create(
    tenant: string,
    request: ReplayRequest,
    who: { everyTenant: boolean; keyId: string },
  ): Promise<{ replay: Replay; gap: ReplayGap | null }>
  /** Each throws `not_found`, and `conflict` where the replay is over. */
  pause(tenant: string, id: string): Promise<Replay>
  resume(tenant: string, id: string): Promise<Replay>
  cancel(tenant: string, id: string): Promise<Replay>
}

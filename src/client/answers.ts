import type { Link } from "../core/envelope.ts"
import type { AsJson, ClientEvent } from "./event.ts"
import type { OptionNames } from "./known-options.ts"
import { filterOptionNames, type FilterInput, type FilterOptions } from "./query.ts"
import type { PageCursor } from "./paged.ts"

/** What calls may be given besides what they ask for. */
export interface CallOptions {
  signal?: AbortSignal | undefined
}

/** A question about what was known at a time of the hub's clock. */
export interface AsOfOptions extends CallOptions {
  asOf?: Date | string | undefined
}

/** Items to fetch at a time (1 to 500), and where to begin. */
export interface PageOptions extends CallOptions {
  pageSize?: number | undefined
  cursor?: string | undefined
}

/** Which part of the history is wanted. */
export interface EventsOptions extends PageOptions, FilterOptions {
  /** `newest` first is the default. */
  order?: "newest" | "oldest" | undefined
  since?: Date | string | undefined
  until?: Date | string | undefined
}

export interface EventPage extends PageCursor {
  events: ClientEvent[]
}

export const eventsOptionNames = {
  ...filterOptionNames,
  order: true,
  since: true,
  until: true,
  pageSize: true,
  cursor: true,
  signal: true,
} satisfies OptionNames<EventsOptions>

export interface TimelineOptions extends PageOptions, AsOfOptions {
  /** False leaves the payloads out, which are most of the bytes. */
  payload?: boolean | undefined
}

/** A link as an event shows it. */
export type LinkShown = AsJson<Link> & { eventId: string; occurredAt: string }

/** An event of a timeline, and the links that tie it to the entity. */
export type TimelineEvent = ClientEvent & { via: LinkShown[] }

export interface TimelinePage extends PageCursor {
  entity: string
  events: TimelineEvent[]
  links: LinkShown[]
  /** Whether more is linked to the entity than is followed. */
  truncated: boolean
  /** When the entity was first heard of, where that was only after `asOf`; else absent. */
  firstHeardAt?: string
}

export interface LinkPage extends PageCursor {
  entity: string
  links: (LinkShown & { direction: "out" | "in" })[]
  /** When the entity was first heard of, where that was only after `asOf`; else absent. */
  firstHeardAt?: string
}

/** What became of a submitted event; its key had brought it before where it is a duplicate. */
export interface Submitted {
  eventId: string
  duplicate: boolean
}

export interface SubmitOptions extends CallOptions {
  /** The same key and body again is the same event; without one, equal events are two. */
  idempotencyKey?: string | undefined
}

/** A named stream. */
export interface StreamDefinition {
  name: string
  filter: FilterInput
  /** Within the filter, any of these; null where the filter alone tells. */
  routes: FilterInput[] | null
  /** How far back it is read (`7d`); null for as far as the log goes. */
  retention: string | null
  /** Of consumer groups on it that do not say. */
  partitions: number | null
  builtIn: boolean
}

/** The kinds of sender. */
export const platformNames = ["github", "linear", "slack", "deployment", "custom", "postgres"] as const
export type PlatformName = (typeof platformNames)[number]

/** Work classes, most urgent first; each has a queue of its own. */
export const priorities = ["critical", "high", "normal", "low"] as const
export type Priority = (typeof priorities)[number]

/** Who did it, by the sender's own id. */
export interface Actor {
  id: string
  name: string
  bot: boolean
}

/** Where in an event a mention was found, and the words that show it. */
export interface Evidence {
  /** Field of the event: `title`, `branch`, `body`, `head.sha`. */
  field: string
  /** The mention itself as written there. */
  text: string
  /** Offsets of `text` within the field, in UTF-16 units; absent where the field is the mention. */
  start?: number
  end?: number
}

/** A mention of an entity found in an event. */
export interface Reference {
  /** Canonical key of the entity: `linear:issue:ENG-123`. */
  entity: string
  /** How it is referred to: `mentions`, `closes`, `head`, `merged_as`, `in_thread`. */
  relation: string
  evidence: Evidence
  /** What refers to it, where that is not the event's own entity (each commit of a push). */
  subject?: string
  /** Whose field the evidence is, where that is not what refers (a comment on a pull request). */
  document?: string
  /** The link that the sender says outright it is, so that nothing is to be judged by rules. */
  stated?: StatedLink
}

/** A link as the sender of an event states it. */
export interface StatedLink {
  relation: string
  strength: "strong" | "weak"
  /** It leads from what is referred to, to what refers. */
  isReversed?: boolean
}

/**
 * What an event says of a thing as it stood at a time of its sender's clock. Of two states the one with
 * the later `at` tells, field by field, whichever came first; so what is late or repeated changes nothing.
 * An event may tell of one thing in several states, of different times and with different fields.
 */
export interface EntityState {
  /** Canonical key of the thing: a pull request, a comment, a message. */
  entity: string
  /** When the thing was last changed, by its sender's clock. */
  at: Date
  /**
   * Every field that the event shows whole, by name; null for an empty one. A field in which references
   * are found has the name that their evidence gives it: what an earlier state showed there and this one
   * does not, is withdrawn. Texts longer than 256 characters go in as a digest (see `stateOfText`).
   */
  fields: Readonly<Record<string, string | number | boolean | null>>
  /** The thing is gone, and nothing holds any more that its fields showed. */
  deleted?: boolean
  /** Of what is deleted: it never comes again, so that no later state undoes it. */
  final?: boolean
  /** What the event shows in these fields has happened: a later state says how the thing stands now, and withdraws nothing of it. */
  keepsLinks?: boolean
}

/** A typed, directed edge between two entities, as one event shows it. */
export interface Link {
  from: string
  to: string
  /** `implements`, `discusses`, `deploys`, `contains`, `reverts`, … read from → to. */
  relation: string
  /** Rule that made it, and its version. */
  rule: string
  ruleVersion: number
  /** `strong` links join a timeline, `weak` ones are only shown. */
  strength: "strong" | "weak"
  /** 0 to 1. */
  confidence: number
  evidence: Evidence
  /** Whose field the evidence is; absent where it can never be withdrawn. */
  document?: string
}

/** An event as stored and processed; `payload` is derived from `raw` when it is needed. */
export interface StoredEvent {
  /** UUIDv7, made at ingest. */
  id: string
  tenant: string
  platform: PlatformName
  source: string
  /** `platform.noun.verb`. */
  type: string
  /** The sender's own name: `pull_request:opened`, `Issue:update`, `app_mention`. */
  name: string
  deliveryId: string
  priority: Priority
  actor: Actor | null
  /** Canonical key of what the event is about. */
  entity: string | null
  title: string | null
  url: string | null
  /** By the sender's clock. */
  occurredAt: Date | null
  /** By ours, at the last byte of the request. */
  receivedAt: Date
  correlationId: string
  causationId: string | null
  /** The headers the platform keeps, lower-cased. */
  headers: Readonly<Record<string, string>>
  contentType: string
  /** Which of the platform's kinds of sender it came from; absent for the platform's own form. */
  sender?: string | undefined
  /** Fetched from the provider's own record and not sent by it. */
  backfilled: boolean
  /** The body exactly as received; of what is `masked`, what everybody may see of it. */
  raw: Buffer
  /** It was read where no secrets are: its body and headers are not those received. */
  masked?: boolean
}

/** An event with its place in the log and its references: what every stream hands out. */
export interface LoggedEvent extends StoredEvent {
  position: number
  references: Reference[]
  /** What it was dealt into partitions by when it was logged, where its entity is another by now. */
  orderKey?: string
}

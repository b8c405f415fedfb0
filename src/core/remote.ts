import type { Clock } from "./clock.ts"
import type { Fields } from "./fields.ts"
import type { Log } from "./log.ts"

/** What a platform can be asked through its own API. Each part is optional: not every provider keeps a record. */
export interface Remote {
  recovery?: Recovery
  connector?: Connector
  notes?: Notes
}

/**
 * What a call out needs. Calls throw a SignalboxError: `too_many_requests` with `retryAfter` in seconds
 * where the provider's limit is reached (its reset headers obeyed, never waited out in place),
 * `unauthenticated` or `forbidden` naming the scope that is missing, `unavailable` where the provider
 * cannot be reached, `not_found` where what was asked for is gone.
 */
export interface RemoteAccess {
  /** Base address of the API where it is not the usual one. */
  apiUrl: string | null
  /** Token or key, in the clear: never to be logged. */
  credential: string
  /** What the source's `settings` hold: what `connect` has written there. */
  settings: Fields
  clock: Clock
  signal: AbortSignal
  log: Log
  /** To be told of each request that is sent, for the ledger's count of calls. */
  called?(): void
}

/** A delivery as it would have come by webhook: made of the provider's own record of it. */
export interface Recovered {
  /** Lower-case names, such as the platform keeps. */
  headers: Readonly<Record<string, string>>
  contentType: string
  body: Buffer
}

/** A delivery in the provider's log. The same key may come several times: each attempt has an entry. */
export interface LoggedDelivery {
  kind: "delivery"
  /** The delivery key, as `identify` reads it. */
  key: string
  /** When the provider first tried, by its clock. */
  at: Date
  /** What the provider says became of it, for the ledger: `502`, `timed out`, `200`. */
  outcome: string
  /** Names it to `redeliver` and `copy`. */
  handle: string
}

/**
 * Something the provider's API tells of, whether or not a webhook was ever sent for it. A sweep hands
 * out its deliveries first: what is asked for again should have come, or have been given up, before
 * records of the same time are judged, lest a copy made of the record forestall the original.
 */
export interface LoggedRecord {
  kind: "record"
  /** Names it, the same at every sweep: the delivery key of what `recovered` gives. */
  key: string
  /** When it happened, by the provider's clock. */
  at: Date
  /** Its webhook, where one came. Null: only the identity of what `recovered` gives can tell. */
  known: Known | null
  /**
   * What to store where nothing is known of it; a function where it takes further calls to make it,
   * null where the provider no longer has it.
   */
  recovered: Recovered | (() => Promise<Recovered | null>)
}

/** What makes an event the one that a record tells of. */
export type Known =
  /** Its identity has this state (see Identity). */
  | { state: string }
  /** The same, where the identity has it as its record: known once the event is processed. */
  | { record: string }
  /** It has this name and is on this entity, and happened at `since` or later, and not after `until`. */
  | { entity: string; name: string; since: Date; until?: Date }

export type Finding = LoggedDelivery | LoggedRecord

/**
 * A part of a sweep. Once its findings are settled, `cursor` is kept, and a sweep that ended goes on
 * from it: after this page, with what follows. The next page is asked for only then. An empty page is
 * welcome where a long way was gone without a finding: it keeps the way.
 */
export interface SweepPage {
  findings: readonly Finding[]
  /** Opaque; given back as `SweepWindow.cursor`. */
  cursor: string
  /** Where the sweep stands, for people: `deliveries of hook 12, back to 13:05`. */
  progress: string
}

export interface SweepWindow {
  /** Everything before this is known to be complete. */
  since: Date
  until: Date
  /** Where an unfinished sweep of this window stopped; null for its beginning. */
  cursor: string | null
}

/** Header values that came together, with the newest event that had them. */
export interface Sighting {
  headers: Readonly<Record<string, string>>
  lastSeenAt: Date
}

export interface RecoveryAccess extends RemoteAccess {
  /** The distinct values of these kept headers among the source's latest events: which hooks speak to it. */
  sightings(headers: readonly string[]): Promise<Sighting[]>
  /** To be told in a sentence, whenever a sweep begins or goes on, of what it must leave out: the ledger's `problem`. */
  unchecked?(why: string): void
}

/** The provider's own record, against which what came in is checked. */
export interface Recovery {
  /**
   * Pages through everything that happened within a window, all deliveries before the first record. May
   * be left at any page, and begun again there with the same window; what it throws ends this run, not
   * the sweep. Each page must come within two minutes.
   */
  sweep(access: RecoveryAccess, window: SweepWindow): AsyncIterable<SweepPage>
  /**
   * Asks the provider to send a delivery again, under the same key. Where that is refused for this
   * delivery (`not_found`, `bad_request`, `gone`) or for all (`forbidden`), it is copied instead.
   */
  redeliver?(access: RemoteAccess, handle: string): Promise<void>
  /** Fetches a delivery as it was sent, where asking for it again was in vain; null where it is gone. */
  copy?(access: RemoteAccess, handle: string): Promise<Recovered | null>
}

/** What is to be set up at the provider. */
export interface ConnectRequest {
  access: RemoteAccess
  /** Name of the source. */
  source: string
  /** Where the provider is to send its webhooks. */
  webhookUrl: string
  /** The newest signing secret of the source; null where the provider makes it. */
  secret: string | null
  /** Values of the connector's own options. */
  options: Readonly<Record<string, string>>
}

export interface ConnectStep {
  action: "create" | "update" | "keep" | "paste"
  /** One sentence: `webhook of acme/api to https://…, 28 events`. */
  what: string
}

export interface ConnectResult {
  /** Kept on the source, over what it had. */
  settings: Fields
  /** A signing secret that the provider made. */
  secret?: string
  /** Something to hand on as it is: Slack's manifest. */
  text?: string
}

export interface ConnectPlan {
  steps: readonly ConnectStep[]
  /** Carries the steps out. Repeated after a success it finds everything done. */
  apply(): Promise<ConnectResult>
}

/** Sets up webhooks at the provider. */
export interface Connector {
  /** Options of `sources connect`, and what each means. */
  options: Readonly<Record<string, string>>
  /** Whether it needs a credential; a manifest to paste needs none. */
  needsCredential: boolean
  /** Looks at what is there, changes nothing, and says what would be done. Idempotent by webhook address. */
  plan(request: ConnectRequest): Promise<ConnectPlan>
}

/** What the hub has to say at a place of the provider's: a line of text that is a link. */
export interface Note {
  text: string
  url: string
}

/** Leaves notes where people talk, each with a mark by which the hub knows its own again. */
export interface Notes {
  /**
   * Says it at the place with this key, and answers the provider's id of what was said. One request, never
   * repeated. Where it throws `unavailable` nobody knows whether it was said; else it was not.
   */
  leave(access: RemoteAccess, place: string, note: Note): Promise<string>
  /** The id of a note of the hub's that was left there since; null where there is none. */
  find(access: RemoteAccess, place: string, since: Date): Promise<string | null>
}

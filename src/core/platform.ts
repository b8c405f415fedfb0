import type { Actor, EntityState, PlatformName, Priority, Reference } from "./envelope.ts"
import type { MergedPullRequest, Push } from "./code-history.ts"
import type { DeploymentDetail } from "./deployment-detail.ts"
import type { Remote } from "./remote.ts"

/** A request as it came, before anything was believed. Header names are lower-case. */
export interface InboundRequest {
  headers: Readonly<Record<string, string>>
  body: Buffer
  receivedAt: Date
  /** Which of the platform's kinds of sender the source is configured as; absent for the platform's own form. */
  sender?: string | undefined
}

/** A secret in force; `id` is recorded with what it verified, the value never is. */
export interface Secret {
  id: string
  value: string
}

/** Outcome of a signature check: which secret matched, or why none did. */
export type Verification =
  | { ok: true; secretId: string }
  | {
      ok: false
      code: "signature_missing" | "signature_malformed" | "signature_mismatch" | "timestamp_outside_tolerance"
      /** One sentence for the sender's operator; holds no part of the body or of a secret. */
      reason: string
    }

/** A delivery with its body parsed. Built alike at ingest and, from the stored row, by the worker. */
export interface Message {
  headers: Readonly<Record<string, string>>
  contentType: string
  payload: unknown
  receivedAt: Date
  /** As in InboundRequest. */
  sender?: string | undefined
}

/** A delivery made here, as bytes and headers with lower-case names, `content-type` among them. */
export interface TestDelivery {
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/** One event of a delivery that holds several, by the bytes it was sent in. */
export interface Part {
  body: Buffer
  contentType: string
}

/** What must be known of a delivery before it is acknowledged. */
export interface Identity {
  /** Delivery key, unique within a source: the same delivery has it again when it is retried. */
  key: string
  /** The sender's own name for it: `pull_request:opened`. */
  name: string
  /** `platform.noun.verb`. */
  type: string
  priority: Priority
  /**
   * The state of its subject that the delivery tells of, by the sender's clock: `Issue:<uuid>@<updatedAt>`.
   * A backfilled event and a webhook of one state are the same event, and so are two webhooks of one
   * state and one body, whatever their keys. Absent where the key alone tells.
   */
  state?: string
  /**
   * What `state` is, for senders whose key alone tells every repeat: it makes one event of a webhook and
   * a backfilled record, and nothing else. Noted when the event is processed, so that taking it in costs
   * no more than without.
   */
  record?: string
  /**
   * The kept header that names the sender's endpoint by which it came (GitHub's hooks), where one event
   * may come by several, under one key and in a body for each. Absent where a key has one body.
   */
  endpointHeader?: string
}

/** A reply made instead of, or after, storing a delivery; a null body is an empty one. */
export interface Reply {
  status: number
  body: unknown
}

/** Free text of an event in which other entities may be named. */
export interface TextField {
  /** `title`, `body`, `branch`, `commit`, `message`. */
  field: string
  /** How the text is written; decides what counts as a mention. */
  format: "plain" | "markdown" | "slack" | "branch" | "url"
  text: string
  /** Whose text it is, where that is not the event's own entity. */
  subject?: string
  /** The thing that holds the text, where that is not whose text it is: a comment on a pull request. */
  document?: string
  /** Whether a program wrote it, whoever made the event; where it is not known it is absent. */
  bot?: boolean
  /** Key of the repository, team or the like within which short names (`#42`) are meant, where the subject does not tell. */
  scope?: string
}

/** A mention as a platform recognizes it in text. */
export interface Mention {
  entity: string
  relation: string
  text: string
  start: number
  end: number
}

/** Names known beforehand, by which a short name is told from what only looks like one. */
export interface KnownNames {
  /**
   * Keys of Linear's teams, in capitals. Where they are given these are read in any case, and what has another
   * key is at most possible (`may_name`); where they are not, an identifier is told by how it is written.
   */
  teamKeys?: ReadonlySet<string> | undefined
}

/** What a platform makes of a message; everything here is derived and can be derived again. */
export interface Normalized {
  type: string
  actor: Actor | null
  entity: string | null
  title: string | null
  url: string | null
  occurredAt: Date
  /** Columns of the platform's detail table, or null where it has none. */
  detail: Readonly<Record<string, unknown>> | null
  /** The state of a deployment that it tells of; becomes a row of `deployment_events`. */
  deployment?: DeploymentDetail | null
  /** What it did to a branch or tag, where it is a push. */
  push?: Push | null
  /** The merge of the pull request that it carries. */
  merge?: MergedPullRequest | null
  /** References by id, SHA or parent, which need no reading of text. */
  references: Reference[]
  /** Text to be read for mentions of this and other platforms' entities. */
  texts: TextField[]
  /** How the things stood that the event shows. */
  states?: readonly EntityState[]
  /** Keys of teams that it shows, in capitals: from now on names, in texts of the past too (see KnownNames). */
  teamKeys?: readonly string[]
  correlationId?: string
  causationId?: string
}

/**
 * A kind of sender, whole: every question that shared code may ask of it is answered here, so that
 * shared code never asks which platform it has. All members are pure.
 */
export interface Platform {
  name: PlatformName
  /** Environment variable with the default source's secrets, comma-separated; null where there is none. */
  secretVariable: string | null
  /** Says what is wrong with a configured secret, or null. */
  checkSecret?(value: string, sender?: string): string | null
  /**
   * Where the operator finds the signing secret, in a sentence, for senders that make it themselves; null
   * or absent where it may be chosen here.
   */
  secretOrigin?(sender?: string): string | null
  /** Kinds of sender that sign or write in a way of their own, besides the platform's own form. */
  senders?: readonly string[]
  /** Milliseconds after which the sender gives up on a request: what waits is answered before. */
  answerWithinMs: number
  /** Status of an acknowledgement: 200 for senders that take nothing else. */
  acceptedStatus: 200 | 202
  /** Media types taken, besides `application/json`. */
  contentTypes: readonly string[]
  /** Headers kept with the event. Anything that holds a secret or a signature is left out. */
  keptHeaders: readonly string[]
  /**
   * Whether anybody's clock may have set the times that its events tell, as a script's or a build machine's. Then
   * none counts as later than five minutes after the event came (see `notAheadOf`). Absent where the platform's
   * own clock sets them: what that says holds, whatever ours does, so that the order of arrival does not matter.
   */
  unkeptClocks?: true
  /** Table of the detail rows, and its columns besides `event_id` and `tenant`; null for none. */
  detail: { table: string; columns: readonly string[] } | null

  /** Checks the signature over the raw bytes against every secret in force. */
  verify(request: InboundRequest, secrets: readonly Secret[]): Verification
  /**
   * Answers a delivery that is a question to us and is not an event (Slack's `url_verification`).
   * Called after verification, and before it with `verified: false`, when only what a sender never
   * signs may be answered.
   */
  handshake?(message: Message, verified: boolean): Reply | null
  /**
   * The events of a delivery that holds several; null where it is one. Each is then taken as a delivery of
   * its own, with the same headers. Throws 413 where there are too many.
   */
  split?(message: Message, body: Buffer): readonly Part[] | null
  /** Reads the delivery key and the name. Throws a SignalboxError of status 400 where it cannot. */
  identify(message: Message, body: Buffer): Identity
  /** The reply to a stored delivery where the sender reads it (Slack commands); null for the usual one. */
  acknowledge?(message: Message): Reply | null
  normalize(message: Message): Normalized
  /**
   * A signed delivery that harms nothing and says that it is a test, as the sender would make it at that
   * time, and an event like any other; another time makes another delivery. Null for a kind of sender whose signature cannot be made here.
   */
  testDelivery?(secret: Secret, at: Date, sender?: string): TestDelivery | null

  /** Calls to the platform's own API; loaded when first made, since SDKs are large. */
  calls?: {
    /** Environment variable with the default credential: `GITHUB_TOKEN`. */
    credentialVariable: string
    /** Environment variable that overrides the API's address: `GITHUB_API_URL`. */
    apiUrlVariable: string
    load(): Promise<Remote>
  }

  /** The entity behind a URL of this platform, with any further meaning of the URL left aside. */
  entityFromUrl?(url: URL): string | null
  /**
   * Mentions by short name (`ENG-123`, `#42`) in a text of any platform; `subject` is the event's entity.
   * Fenced code, comments, quoted lines and addresses are blanked in the text.
   */
  mentionsIn?(text: TextField, subject: string | null, known?: KnownNames): Mention[]
}

/** Checks a definition at compile time and hands it back unchanged. */
export function definePlatform(platform: Platform): Platform {
  return platform
}

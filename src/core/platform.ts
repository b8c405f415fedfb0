import type { Actor, PlatformName, Priority, Reference } from "./envelope.ts"

/** A request as it came, before anything was believed. Header names are lower-case. */
export interface InboundRequest {
  headers: Readonly<Record<string, string>>
  body: Buffer
  receivedAt: Date
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
  /** References by id, SHA or parent, which need no reading of text. */
  references: Reference[]
  /** Text to be read for mentions of this and other platforms' entities. */
  texts: TextField[]
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
  checkSecret?(value: string): string | null
  /** Status of an acknowledgement: 200 for senders that take nothing else. */
  acceptedStatus: 200 | 202
  /** Media types taken, besides `application/json`. */
  contentTypes: readonly string[]
  /** Headers kept with the event. Anything that holds a secret or a signature is left out. */
  keptHeaders: readonly string[]
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
  /** Reads the delivery key and the name. Throws a SignalboxError of status 400 where it cannot. */
  identify(message: Message, body: Buffer): Identity
  /** The reply to a stored delivery where the sender reads it (Slack commands); null for the usual one. */
  acknowledge?(message: Message): Reply | null
  normalize(message: Message): Normalized

  /** The entity behind a URL of this platform, with any further meaning of the URL left aside. */
  entityFromUrl?(url: URL): string | null
  /** Mentions by short name (`ENG-123`, `#42`) in a text of any platform; `subject` is the event's entity. */
  mentionsIn?(text: TextField, subject: string | null): Mention[]
}

/** Checks a definition at compile time and hands it back unchanged. */
export function definePlatform(platform: Platform): Platform {
  return platform
}

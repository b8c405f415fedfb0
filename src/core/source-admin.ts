import type { Fields } from "./fields.ts"

/** A secret as shown: everything but its value. */
export interface SecretView {
  id: string
  purpose: "signing" | "credential"
  /** Null where it is not stored: `env:1` is the first of the environment, `hub:1` of the hub's options. */
  createdAt: Date | null
  expiresAt: Date | null
  /** When it last verified a request, to the minute. */
  matchedAt: Date | null
}

/** A source as shown. */
export interface SourceView {
  id: string
  tenant: string
  platform: string
  name: string
  sender: string | null
  settings: Fields
  enabled: boolean
  /** Why it takes no webhooks, as far as is known here; null while it does. */
  off: string | null
  /** Path of its webhooks. */
  path: string
  createdAt: Date
  updatedAt: Date
  /** Signing secrets in force, newest first. */
  secrets: readonly SecretView[]
  /** Its own credential for calls to the platform's API. */
  credential: SecretView | null
}

/** What a source is to be made of. */
export interface NewSource {
  tenant: string
  platform: string
  name: string
  sender?: string | null | undefined
  settings?: Fields | undefined
  /** Generated if absent, where the sender lets us choose; null for none yet. */
  secret?: string | null | undefined
  credential?: string | undefined
}

/** What is to be changed; absent members stay as they are. */
export interface SourceEdit {
  enabled?: boolean | undefined
  sender?: string | null | undefined
  /** Put over those it has; a null takes one away. */
  settings?: Fields | undefined
  /** Replaces the one it has; null takes it away. */
  credential?: string | null | undefined
}

/** What became of the secrets of a source. */
export interface Issued {
  source: SourceView
  /** A secret that was generated: it is shown here and nowhere again. */
  secret: string | null
  /** What the operator has yet to do, in a sentence. */
  advice: string | null
}

/** A tenant's source by its path; a null tenant means that of any. */
export interface SourceRef {
  tenant: string | null
  platform: string
  name: string
}

/**
 * Administration of sources. Throws `bad_request` for what is malformed, `not_found` where there is no
 * such source, `conflict` where the path is taken, `configuration` where no secret can be stored.
 */
export interface SourceAdmin {
  /** By platform and name. */
  list(
    tenant: string | null,
    page: { limit: number; after: { platform: string; name: string } | null },
  ): Promise<SourceView[]>
  find(source: SourceRef): Promise<SourceView>
  create(source: NewSource): Promise<Issued>
  edit(source: SourceRef, edit: SourceEdit): Promise<SourceView>
  /** Adds a signing secret; those before it end after `overlapSeconds`. */
  rotate(
    source: SourceRef,
    rotation: { secret?: string | undefined; overlapSeconds: number },
  ): Promise<Issued>
  /** All that are stored, also those that have expired of late, newest first. */
  secrets(source: SourceRef): Promise<SecretView[]>
}

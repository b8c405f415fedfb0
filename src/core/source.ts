import type { Fields } from "./fields.ts"
import type { Secret } from "./platform.ts"

/** A configured sender of a platform. */
export interface Source {
  id: string
  tenant: string
  platform: string
  name: string
  /** Which of the platform's kinds of sender it is; absent for the platform's own form. */
  sender?: string | undefined
  /** What `connect` and the operator have set, nothing secret among it. */
  settings: Fields
  /** In force, all of them. */
  secrets: readonly Secret[]
  /** Why it takes no webhooks, in a sentence for the operator; absent while it does. */
  off?: string
}

/** The sources of this process, held in memory: finding one costs no query. */
export interface Sources {
  find(platform: string, name: string): Source | undefined
  list(): readonly Source[]
}

/** The sources of a process that is at work: `createSources` of src/sources makes them. */
export interface RunningSources extends Sources {
  /** The credential for calls to the platform's API, in the clear; null where neither the source nor the environment has one. */
  credentialOf(source: Source): string | null
  /** Base address of the platform's API where it is not the usual one. */
  apiUrlOf(source: Source): string | null
  /** Keeps settings over those that the source has; a null takes one away. `not_found` where there is no such source. */
  saveSettings(sourceId: string, settings: Fields): Promise<void>
  /** Notes that a secret has verified a request. Costs nothing: it is written later, to the minute. */
  matched(secretId: string): void
}

/** Name of the source that `POST /webhooks/:platform` speaks to. */
export const defaultSource = "default"

/** The tenant of the default sources, and of whatever names none. */
export const defaultTenant = "default"

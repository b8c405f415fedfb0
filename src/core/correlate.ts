import type { Link, Reference, StoredEvent } from "./envelope.ts"
import type { KnownNames, Normalized } from "./platform.ts"

/** What an event says of entities. */
export interface Correlated {
  /** Every reference of the event in order of appearance: those its platform found and those read from its texts. */
  references: Reference[]
  /** The links that rules make of this event alone. */
  links: Link[]
  /** Rules that failed at the event, and made no link of it. */
  failures?: readonly { rule: string; error: unknown }[]
}

/**
 * Finds the references and links of one event, whose fields from `normalized` are filled in. Depends
 * on nothing but its arguments, so that order and repetition of events never change what comes out.
 */
export type Correlate = (event: StoredEvent, normalized: Normalized, known?: KnownNames) => Correlated

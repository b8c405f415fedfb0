import type { EntityState, Priority, Reference } from "../../core/envelope.ts"
import type { TextField } from "../../core/platform.ts"
import type { KeyReader } from "./keys.ts"

/** What is known of one of GitHub's events. Paths are dotted, and the first that holds something counts. */
export interface EventShape {
  /** Last segment of the type, for the events that come without an action. */
  verb?: string
  /**
   * What the body of this event holds and what it never does. Headers are not signed, so this is all
   * that keeps a captured delivery from being passed off as another event.
   */
  has: readonly string[]
  hasNot?: readonly string[]
  /** Actions, listed only where nothing else tells the body from that of another event. */
  actions?: readonly string[]
  /** `normal` where not given. */
  priority?: Priority | ((payload: unknown, action: string | null) => Priority)
  /** The field with the thing itself; its title, address and times are read unless said otherwise. */
  about?: string
  entity: KeyReader
  /** The same by ids, which outlive a renaming; the two keys are tied by `same_as`. */
  byId?: KeyReader
  title?: readonly string[] | ((payload: unknown) => string | null)
  url?: readonly string[]
  time?: readonly string[]
  number?: readonly string[]
  ref?: readonly string[]
  sha?: readonly string[]
  state?: readonly string[]
  references?: (payload: unknown) => Reference[]
  texts?: (payload: unknown) => TextField[]
  /**
   * The one thing as it stood, in fields that are named as texts and references name them, each in one state;
   * none where it has no clock.
   */
  stood?: (payload: unknown) => readonly EntityState[]
}

/** Events by GitHub's own name. */
export type Shapes = Readonly<Record<string, EventShape>>

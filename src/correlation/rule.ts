import type { Evidence, Link, Reference, StoredEvent } from "../core/envelope.ts"
import type { Normalized } from "../core/platform.ts"

/** An event as rules see it: `payload` is parsed when it is first read. */
export interface RuleEvent extends StoredEvent {
  readonly payload: unknown
}

/**
 * A reference with what refers to it, `subject`, and whose field shows it, `document`: the event's own
 * entity where the reference names no other; null where the event has none.
 */
export interface SubjectReference extends Omit<Reference, "subject" | "document"> {
  subject: string | null
  document: string | null
}

/** A link as a rule gives it; the rule's name and version are added, and what is absent is filled in. */
export interface ProposedLink {
  /** The event's own entity where absent. */
  from?: string
  to: string
  /** Lower snake case, read from → to: `implements`, `discusses`, `caused_by`. */
  relation: string
  /** `weak` where absent: a strong link puts all that is tied to the one end into the other's timeline. */
  strength?: Link["strength"]
  /** 0 to 1; 1 where absent. */
  confidence?: number
  /** The event's type where absent. */
  evidence?: Evidence
  /**
   * The thing whose field the evidence is: when that field says otherwise, the link is withdrawn. Where
   * absent, that of the reference with the same evidence; else what the event is about, or the one thing of
   * the event, if the event tells how that field of it stands.
   */
  document?: string
}

/** A rule of the user's own. */
export interface RuleDefinition {
  /** Lower case, digits and `_ . -`; unique. */
  name: string
  /** Counted up whenever the rule would make other links than before. */
  version: number
  /**
   * Which events it reads: type patterns (`github.pull_request.*`) or platforms (`custom`). All
   * where absent. `custom.*` is every event of the platform, whatever its type.
   */
  on?: string | readonly string[]
  /**
   * The links that this event shows. It must answer from its arguments alone: no clock, no database,
   * no earlier event, or links would depend on the order in which events arrive.
   */
  find(
    event: RuleEvent,
    normalized: Normalized,
    references: readonly SubjectReference[],
  ): readonly ProposedLink[]
}

/** What a built-in rule reads. */
export interface RuleInput {
  event: RuleEvent
  normalized: Normalized
  references: readonly SubjectReference[]
  /** Whether an earlier rule has linked the two already, in either direction. */
  isLinked: (one: string, other: string) => boolean
}

/** What a rule is for, as `signalbox correlation rules` and docs/explain.md show it. */
export interface RuleAbout {
  /** What it looks at. */
  reads: string
  /** The one relation of its links, or the commonest. */
  relation: string
  strength: Link["strength"]
  /** When links of a strong rule are weak all the same; null where they never are. */
  weakWhere: string | null
}

/** A rule as it is run; users' definitions are turned into this. */
export interface Rule {
  name: string
  version: number
  /** Null for a rule of the user's own, which can answer anything. */
  about: RuleAbout | null
  /** It is given the references too that state a link outright, in which there is nothing to judge. */
  readsStated?: true
  find(input: RuleInput): readonly ProposedLink[]
}

/** A rule that failed on an event: it made no link of it, and everything else went on. */
export interface RuleFailure {
  rule: string
  ruleVersion: number
  error: unknown
}

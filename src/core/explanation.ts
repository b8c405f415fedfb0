import type { Evidence, Link, Reference } from "./envelope.ts"

/** An event by which something is shown. */
export interface ShownBy {
  id: string
  type: string
  title: string | null
  url: string | null
  occurredAt: string
}

/** A link between the two with the event that shows it, and for how long it was known by our clock. */
export interface ExplainedLink extends Link {
  event: ShownBy
  /** `to` is null while it is known; null altogether where a later state had come before it. */
  known: { from: string; to: string | null } | null
  /**
   * When this link was first known by our clock, whichever event showed it: one of the same ends, relation and
   * rule. Null where it never was.
   */
  firstKnown: string | null
  /** The event that tells of a later state, which shows the link as well; `known` ends where that one's begins. */
  renewedBy: ShownBy | null
  /** The event that tells of a later state, which does not show it. */
  withdrawnBy: (ShownBy & { deleted: boolean }) | null
}

/**
 * What speaks against a link, or kept it from being made:
 * - `edited`, `deleted`: the field that showed it says otherwise since, or is gone;
 * - `skip_word`: the words before the name ask not to link it;
 * - `quoted`: it stands in quoted text, code or a comment, or is struck out;
 * - `lower_case`: in upper case it would be taken for a name;
 * - `joined`: other characters are joined to it (`fooENG-126`, `ENG-126x`, a path); by itself it would be taken
 *   for a name;
 * - `unknown_team`: Linear's events have shown teams, and none of that key;
 * - `reserved_key`: its key, or its form, is mostly something else's (`UTF-8`), and no event of Linear's has shown
 *   a team of that key;
 * - `past_the_end`: it stands beyond what is read of a text;
 * - `not_recognized`: it is read as something else, or as nothing;
 * - `listed`: it is one of so many in its field that the link is weak; alone it would be strong;
 * - `revert`: one of the two was reverted, or is a revert;
 * - `outdated`: today's rules make the link, or make it no more; `reprocess` would bring it up to date;
 * - `rule_failed`: a rule threw on an event of the two;
 * - `rule_absent`: a rule whose link is stored is not one that this hub runs;
 * - `weak`: nothing but weak links; `no_rule`: a reference of which no rule made a link;
 * - `common`: strong links lead from both to one thing, which does not tie them to each other.
 */
export interface Finding {
  kind:
    | "edited"
    | "deleted"
    | "skip_word"
    | "quoted"
    | "lower_case"
    | "joined"
    | "unknown_team"
    | "reserved_key"
    | "past_the_end"
    | "not_recognized"
    | "listed"
    | "revert"
    | "outdated"
    | "rule_failed"
    | "rule_absent"
    | "weak"
    | "no_rule"
    | "common"
  /** What it is, in a sentence. */
  detail: string
  eventId?: string
  field?: string
  text?: string
  start?: number
  end?: number
}

/** Why two things are linked, or why not. */
export interface Explanation {
  from: string
  to: string
  /** The time whose knowledge it goes by; null for now. */
  asOf: string | null
  /**
   * `linked`: by a strong link between the two; `linked_over_others`: a path of strong links; `shown_only`: weak
   * links; `withdrawn`: there were links; `not_linked`.
   */
  verdict: "linked" | "linked_over_others" | "shown_only" | "withdrawn" | "not_linked"
  /** The verdict in a sentence, with what decides it. */
  summary: string
  /**
   * Those of the two of which nothing was known (at `asOf`), with the time at which we first heard of it; null
   * where we never have.
   */
  unheard: { entity: string; firstHeard: string | null }[]
  /** Other keys of the same two things; what holds for one, holds for all. */
  aliases: { from: string[]; to: string[] }
  /** Whether the timeline of the one holds the events of the other. */
  timelines: { fromHoldsTo: boolean; toHoldsFrom: boolean }
  links: ExplainedLink[]
  /** The strong links that lead from the one to the other, each by its surest event; null where none do. */
  path: (Link & { eventId: string })[] | null
  counterEvidence: Finding[]
  /** References between the two of which no rule made a link. */
  references: (Reference & { eventId: string })[]
  /** What came closest, where no strong links tie them. */
  nearMiss: Finding | null
  /**
   * Events of the two that were read anew; `complete` where those were all. `notRead` has the ids of those that
   * there was no time for: their links stand above, and what else they name is not told.
   */
  examined: { events: number; complete: boolean; notRead?: string[] }
}

/** Asks what an explanation may go by. */
export interface ExplanationQuery {
  tenant: string
  from: string
  to: string
  asOf: Date | null
  /** Aborted once nobody waits for the answer: then no further event is read anew. */
  signal?: AbortSignal
}

/** The piece of text that shows a link; null where its rule gave none, and the event's type stands for it. */
export function wordsOf({ field, text, start }: Evidence): string | null {
  return field === "type" && start === undefined ? null : `${JSON.stringify(text)} in the ${field}`
}

/** By what a link is shown: the piece of text, and the event by its type. */
export function shownBy(evidence: Evidence, type: string): string {
  const words = wordsOf(evidence)
  const event = type || "an event"
  return words === null
    ? `shown by ${event}, with no words since the rule gives no evidence`
    : `shown by ${words} of ${event}`
}

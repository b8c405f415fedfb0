import type { Link, Reference } from "./envelope.ts"

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
  /** The event that tells of a later state, which shows the link as well; `known` ends where that one's begins. */
  renewedBy: ShownBy | null
  /** The event that tells of a later state, which does not show it. */
  withdrawnBy: (ShownBy & { deleted: boolean }) | null
}

/**
 * What speaks against a link, or kept it from being made:
 * - `edited`, `deleted`: the field that showed it says otherwise since, or is gone;
 * - `skip_word`: the words before the name say not to link it; `quoted`: it stands in quoted text, code or
 *   a comment; `unknown_team`: no event of Linear's has shown a team of that key, but of others; `lower_case`, `joined`: it would be taken in upper case, or if it stood alone; `past_the_end`:
 *   it stands beyond what is read of a text; `not_recognized`: it is read as something else, or as nothing;
 * - `listed`: it is one of so many in its field that the link is weak; alone it would be strong;
 * - `revert`: one of the two was reverted, or is a revert;
 * - `outdated`: today's rules make the link, or make it no more; `reprocess` would bring it up to date;
 * - `rule_failed`: a rule threw on an event of the two;
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
    | "past_the_end"
    | "not_recognized"
    | "listed"
    | "revert"
    | "outdated"
    | "rule_failed"
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
  /** Events of the two that were read anew; `complete` where those were all. */
  examined: { events: number; complete: boolean }
}

/** Asks what an explanation may go by. */
export interface ExplanationQuery {
  tenant: string
  from: string
  to: string
  asOf: Date | null
}

import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import type { ExplainedLink, Explanation, Finding, ShownBy } from "../../core/explanation.ts"
import type { ShownRule } from "../../core/shown-rule.ts"
import { pair } from "../links.ts"
import { evidence, reference } from "./event.ts"
import { textOrNull, time, timeOrNull } from "./shapes.ts"

const group = "Links"

const shownBy = z.object({
  id: z.uuid(),
  type: z.string(),
  title: textOrNull,
  url: textOrNull,
  occurredAt: time,
}) satisfies z.ZodType<ShownBy>

const link = {
  from: z.string(),
  to: z.string(),
  relation: z.string(),
  rule: z.string(),
  ruleVersion: z.int(),
  strength: z.enum(["strong", "weak"]),
  confidence: z.number(),
  evidence,
  document: z.string().exactOptional(),
}

const explainedLink = z.object({
  ...link,
  event: shownBy,
  known: z.object({ from: time, to: timeOrNull }).nullable(),
  firstKnown: timeOrNull,
  renewedBy: shownBy.nullable(),
  withdrawnBy: shownBy.extend({ deleted: z.boolean() }).nullable(),
}) satisfies z.ZodType<ExplainedLink>

const finding = z
  .object({
    kind: z.enum([
      "edited",
      "deleted",
      "skip_word",
      "quoted",
      "lower_case",
      "joined",
      "unknown_team",
      "reserved_key",
      "past_the_end",
      "not_recognized",
      "listed",
      "revert",
      "outdated",
      "rule_failed",
      "rule_absent",
      "weak",
      "no_rule",
      "common",
    ]),
    detail: z.string().describe("What it is, in a sentence."),
    eventId: z.string().exactOptional(),
    field: z.string().exactOptional(),
    text: z.string().exactOptional(),
    start: z.int().exactOptional(),
    end: z.int().exactOptional(),
  })
  .meta({
    id: "Finding",
    description: "What speaks against a link, or kept it from being made.",
  }) satisfies z.ZodType<Finding>

const explanation = z
  .object({
    from: z.string(),
    to: z.string(),
    asOf: timeOrNull,
    verdict: z.enum(["linked", "linked_over_others", "shown_only", "withdrawn", "not_linked"]),
    summary: z.string().describe("The verdict in a sentence."),
    unheard: z.array(z.object({ entity: z.string(), firstHeard: timeOrNull })),
    aliases: z.object({ from: z.array(z.string()), to: z.array(z.string()) }),
    timelines: z.object({ fromHoldsTo: z.boolean(), toHoldsFrom: z.boolean() }),
    links: z.array(explainedLink),
    path: z.array(z.object({ ...link, eventId: z.string() })).nullable(),
    counterEvidence: z.array(finding),
    references: z.array(reference.extend({ eventId: z.string() })),
    nearMiss: finding.nullable(),
    examined: z.object({
      events: z.int(),
      complete: z.boolean(),
      notRead: z.array(z.string()).exactOptional(),
    }),
  })
  .meta({
    id: "Explanation",
    description: "Why two things are linked, or why not.",
  }) satisfies z.ZodType<Explanation>

const rule = z.object({
  name: z.string(),
  version: z.int(),
  builtIn: z.boolean(),
  relation: textOrNull,
  strength: z.enum(["strong", "weak"]).nullable(),
  weakWhere: textOrNull,
  reads: textOrNull,
}) satisfies z.ZodType<ShownRule>

/** `/api/v1/links`. */
export const linkRouteDescriptions: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/links/explain",
    group,
    summary: "Why two entities are linked, or why not",
    scope: "events:read",
    query: pair,
    words: { from: "Key of the one entity; in an address `#` is `%23`.", to: "Key of the other." },
    answers: { 200: { words: "The explanation.", schema: explanation } },
    problems: [404],
  },
  {
    method: "get",
    path: "/api/v1/links/rules",
    group,
    summary: "The rules by which this process makes and explains links",
    scope: "events:read",
    answers: { 200: { words: "The rules, in their order.", schema: z.object({ rules: z.array(rule) }) } },
  },
]

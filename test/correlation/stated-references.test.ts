import { expect, it } from "vitest"
import { relations } from "../../src/platforms/custom/relations.ts"
import { custom } from "../../src/platforms/custom/index.ts"
import { builtInRules } from "../../src/correlation/rules/index.ts"
import type { RuleDefinition } from "../../src/correlation/rule.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { correlate, eventOf, shortLinks } from "./support.ts"

const receivedAt = new Date("2026-11-21T12:00:00Z")
const title = "Closes ENG-1, see https://github.com/acme/api/pull/3"
const things = [
  "github:pull_request:acme/api#42",
  "github:issue:acme/api#7",
  `github:commit:${"a".repeat(40)}`,
  "github:branch:acme/api@eng-7-limit",
  "linear:issue:ENG-9",
  "slack:message:T1/C1/1700000000.000100",
  "slack:thread:T1/C1/1600000000.000100",
  "deployment:d-1",
  "pager:incident:7",
]
/** What references of our platforms are called, which a sender may state as words of its own. */
const ours =
  "closes attached head merged_as in_thread on_branch names pushed_with queues squash_of merge_of cherry_pick_of"
const words = [...ours.split(" "), "head_branch", "quotes", ...Object.keys(relations)]

function normalized(entity: string, references: readonly object[]) {
  const payload = { type: "a.b", entity, title, references }
  return custom.normalize({ headers: {}, contentType: "application/json", payload, receivedAt })
}

function judged(entity: string, references: readonly object[]) {
  const { links } = correlate(normalized(entity, references), { platform: "custom" })
  return links.filter(({ rule }) => rule !== "custom_relates")
}

it("what is stated changes nothing in what any rule but custom_relates finds", () => {
  for (const entity of things) {
    const alone = judged(entity, [])
    expect(alone).not.toEqual([])
    for (const relation of words) {
      const stated = things.map((thing) => ({ entity: thing, relation }))
      const ofOthers = things.map((subject) => ({ entity: "linear:issue:ENG-8", subject, relation }))
      expect([entity, relation, judged(entity, [...stated, ...ofOthers])]).toEqual([entity, relation, alone])
    }
  }
})

it("so a message is in no thread because somebody says so with a word of that name", () => {
  const event = normalized("slack:message:T1/C1/1700000000.000100", [
    { entity: "linear:issue:ENG-9", relation: "in_thread" },
  ])
  const links = shortLinks(correlate(event, { platform: "custom" }))
  expect(links.filter((link) => link.startsWith("linear:"))).toEqual([])
})

it("custom_relates alone is given it, of the rules that are ours", () => {
  expect(builtInRules.flatMap(({ name, readsStated }) => (readsStated === true ? name : []))).toEqual([
    "custom_relates",
  ])
})

it("a rule of the user's own is given it with the rest, and told that it is stated", () => {
  const correlation = createCorrelation({ platforms })
  const seen: unknown[] = []
  const find: RuleDefinition["find"] = (_event, _normalized, references) => {
    seen.push(...references)
    return []
  }
  correlation.rule({ name: "own", version: 1, find })
  const event = normalized("pager:incident:7", [{ entity: "linear:issue:ENG-9", relation: "blocked_by" }])
  correlation.correlate(eventOf(event, { platform: "custom" }), event)
  expect(seen).toContainEqual(
    expect.objectContaining({
      entity: "linear:issue:ENG-9",
      relation: "blocked_by",
      stated: { relation: "blocks", strength: "weak", isReversed: true },
    }),
  )
  expect(seen).toContainEqual(expect.not.objectContaining({ stated: expect.anything() }))
})

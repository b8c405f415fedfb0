import { describe, expect, it } from "vitest"
import type { Link, Reference } from "../../src/core/envelope.ts"
import { maxReferences } from "../../src/correlation/references.ts"
import { platformByName } from "../../src/platforms/index.ts"
import { github, timeAt } from "./deliveries.ts"
import { correlate } from "./support.ts"

const branch = "github:branch:acme/api@eng-7-limits"
const sha = (n: number) => n.toString(16).padStart(40, "a")
const commit = (n: number) => `github:commit:${sha(n)}`

/** What is read of a push of so many commits to the branch, with these messages where they are given. */
function push(count: number, messageOf: (n: number) => string) {
  const commits = Array.from({ length: count }, (_, n) => ({
    id: sha(n + 1),
    message: messageOf(n + 1),
    distinct: true,
    timestamp: timeAt(n),
  }))
  const { headers, payload } = github("push", {
    ref: "refs/heads/eng-7-limits",
    before: "0".repeat(40),
    after: sha(count),
    commits,
    head_commit: commits.at(-1),
  })
  const message = { headers, contentType: "application/json", payload, receivedAt: new Date(0) }
  const normalized = platformByName("github")?.normalize(message)
  if (normalized === undefined) throw new Error("GitHub is no platform")
  return correlate(normalized)
}

/** The things that strong links reach from one. */
function reached(from: string, links: readonly Link[]): Set<string> {
  const things = new Set([from])
  for (const thing of things) {
    for (const link of links) {
      if (link.strength !== "strong") continue
      if (link.from === thing) things.add(link.to)
      if (link.to === thing) things.add(link.from)
    }
  }
  return things
}

const countOf = (references: readonly Reference[], relation: string) =>
  references.filter((reference) => reference.relation === relation).length

const names = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => `ENG-${from + n}`).join(" ")

describe("of a push of more commits than references are kept", () => {
  it.each([300, 480, 2_000])("of %d, what its head closes and the branch's names stay", (count) => {
    const { references, links } = push(count, (n) =>
      n === count ? "Add limits\n\nCloses ENG-7" : `step ${n}`,
    )
    const short = references.map(({ subject, relation, entity }) => `${subject} ${relation} ${entity}`)
    expect(references).toHaveLength(maxReferences)
    expect(short).toContain(`${commit(count)} closes linear:issue:ENG-7`)
    expect(short).toContain(`${branch} names linear:issue:ENG-7`)
    expect(short).toContain(`${commit(count)} on_branch ${branch}`)
    expect(short).toContain(`${branch} same_as github:branch_id:7@eng-7-limits`)
    const things = reached("linear:issue:ENG-7", links)
    const commits = Array.from({ length: count }, (_, n) => commit(n + 1))
    // Each takes one reference at least: of the commits that are too many the oldest go.
    expect(commits.filter((one) => things.has(one)).length).toBeGreaterThan(
      Math.min(count, maxReferences) - 10,
    )
  })

  it("its commits stay with their head, though each of them says much", () => {
    const { references } = push(600, (n) => `ENG-${n} and (#${n})\n\nCloses ENG-${n + 1000}`)
    expect(references).toHaveLength(maxReferences)
    for (const relation of ["mentions", "closes", "pushed_with"]) {
      expect(countOf(references, relation)).toBeGreaterThan(100)
    }
    expect(countOf(references, "names")).toBe(1)
  })

  it("the branch is read, however much the commits say", () => {
    const { references } = push(100, () => "A long story. ".repeat(4_000))
    expect(countOf(references, "names")).toBe(1)
  })
})

it("of two fields that name more than is kept, each keeps its share, in the order of the event", () => {
  const { references } = correlate({
    entity: "github:pull_request:acme/api#50",
    texts: [
      { field: "title", format: "plain", text: names(1, 20) },
      { field: "body", format: "plain", text: names(1_000, 500) },
      { field: "summary", format: "plain", text: names(5_000, 500) },
    ],
  })
  const fields = references.map(({ evidence }) => evidence.field)
  expect(fields).toEqual([
    ...Array.from({ length: 20 }, () => "title"),
    ...Array.from({ length: 240 }, () => "body"),
    ...Array.from({ length: 240 }, () => "summary"),
  ])
})

import { readFile } from "node:fs/promises"
import { describe, expect, it } from "vitest"
import { custom } from "../../src/platforms/custom/index.ts"
import { relations } from "../../src/platforms/custom/relations.ts"
import { correlate, shortLinks } from "../correlation/support.ts"

const incident = "pager:incident:7"
const receivedAt = new Date("2026-11-21T12:00:00Z")
const message = (payload: object) => ({ headers: {}, contentType: "application/json", payload, receivedAt })

function normalized(references: readonly object[], more: object = {}) {
  return custom.normalize(message({ type: "pager.incident.opened", entity: incident, references, ...more }))
}
const linksOf = (references: readonly object[], more?: object) =>
  shortLinks(correlate(normalized(references, more), { platform: "custom" }))

const things = ["linear:issue:ENG-123", "github:pull_request:acme/api#42", `github:commit:${"a".repeat(40)}`]

describe("a reference of a custom event is a statement of its sender", () => {
  const stated = Object.entries(relations).map(([given, link]) => ({ given, ...link }))

  const ownEnds = ["pager:service:api", "jira:ticket:X-1"]

  it.each(stated)("$given makes a $strength link $relation, whatever it leads to", (one) => {
    const own = one.given === "same_as"
    const subjects = own ? ownEnds.slice(1) : ["linear:issue:ENG-9", "github:pull_request:acme/api#9"]
    for (const entity of own ? ownEnds.slice(0, 1) : things) {
      for (const subject of [undefined, ...subjects]) {
        const [from, to] =
          one.isReversed === true ? [entity, subject ?? incident] : [subject ?? incident, entity]
        expect(linksOf([{ entity, relation: one.given, subject }])).toEqual([
          `${from} -${one.relation}-> ${to} (${one.strength}, custom_relates)`,
        ])
      }
    }
  })

  it.each(["caused_by", "releases", "in_thread", "closes", "attached", "merged_as", "constructor"])(
    "a word of its own, such as %s, makes a strong link relates",
    (relation) => {
      const given = normalized([{ entity: things[0], relation, subject: "linear:issue:ENG-9" }])
      expect(given.references).toMatchObject([{ entity: things[0], relation }])
      expect(shortLinks(correlate(given, { platform: "custom" }))).toEqual([
        `linear:issue:ENG-9 -relates-> ${things[0]} (strong, custom_relates)`,
      ])
    },
  )

  it.each(["mention", "mentioned_in", "related_to", "parents", "parent_of", "block", "blocked", "blocks_on"])(
    "a form of a weak word, such as %s, makes a weak link related",
    (relation) => {
      expect(normalized([{ entity: things[0], relation }]).references).toMatchObject([{ relation }])
      expect(linksOf([{ entity: things[0], relation }])).toEqual([
        `${incident} -related-> ${things[0]} (weak, custom_relates)`,
      ])
    },
  )

  it.each(["realted", "relted", "re_lated", "mnetions", "paremt", "blokcs", "bloked_by"])(
    "a slip of a weak word, such as %s, makes a weak link related",
    (relation) => {
      expect(linksOf([{ entity: things[0], relation }])).toEqual([
        `${incident} -related-> ${things[0]} (weak, custom_relates)`,
      ])
    },
  )

  it("one without a relation relates, and a mention in a text is no statement", () => {
    expect(normalized([{ entity: things[0] }]).references).toMatchObject([{ relation: "relates" }])
    expect(
      linksOf([{ entity: things[0] }, { entity: things[1], relation: null }], { title: "Like ENG-4" }),
    ).toEqual([
      `${incident} -mentions-> linear:issue:ENG-4 (weak, mention)`,
      `${incident} -relates-> ${things[1]} (strong, custom_relates)`,
      `${incident} -relates-> ${things[0]} (strong, custom_relates)`,
    ])
  })
})

it.each(["ship", "deploy", "check", "block", "revert", "parents", "related_to", "implments", "same"])(
  "no word is refused, and so %s is taken as one of the sender's own",
  (relation) => {
    const sent = message({ type: "a.b", references: [{ entity: "a:b", relation }] })
    expect(custom.identify(sent, Buffer.from(""))).toMatchObject({ type: "a.b" })
  },
)

const pr = "github:pull_request:acme/api#42"
const foreign = [
  ["leads to one", { entity: incident, references: [{ entity: pr }] }],
  ["comes from one", { entity: pr, references: [{ entity: incident }] }],
  [
    "has one for its subject",
    { entity: incident, references: [{ entity: "a:b", subject: "deployment:d-1" }] },
  ],
  ["ties two", { references: [{ entity: "linear:issue:ENG-1", subject: "slack:message:T1/C1/1.2" }] }],
] as const

it.each(foreign)("same_as is refused where it %s of another platform's things", (_, event) => {
  const references = event.references.map((one) => ({ ...one, relation: "same_as" }))
  const sent = message({ type: "a.b", ...event, references })
  expect(() => custom.identify(sent, Buffer.from(""))).toThrow(
    /references\[0\]\.relation: same_as is for two keys of a thing of your own, and of \S+ another platform tells; say relates/,
  )
  expect(shortLinks(correlate(custom.normalize(sent), { platform: "custom" }))).toEqual([
    expect.stringMatching(/ -relates-> .* \(strong, custom_relates\)$/),
  ])
})

it("same_as is taken of two keys of one's own", () => {
  const references = [{ entity: "custom:case:7", relation: "same_as" }]
  const sent = message({ type: "a.b", entity: incident, references })
  expect(custom.identify(sent, Buffer.from(""))).toMatchObject({ type: "a.b" })
})

it("the docs list the relations as they are", async () => {
  const text = await readFile(new URL("../../docs/sending.md", import.meta.url), "utf8")
  const rows = [...text.matchAll(/^\| `(\w+)`[^|]*\|[^|]+\| (?:`(\w+)`)(, from it)? \| (strong|weak) \|$/gm)]
  expect(
    rows.map(([, given, relation, reversed, strength]) => [
      given,
      relation,
      reversed !== undefined,
      strength,
    ]),
  ).toEqual(
    Object.entries(relations).map(([given, { relation, strength, isReversed }]) => [
      given,
      relation,
      isReversed === true,
      strength,
    ]),
  )
})

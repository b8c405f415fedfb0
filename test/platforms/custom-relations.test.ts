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

  it.each(stated)("$given makes a $strength link $relation, whatever it leads to", (one) => {
    for (const entity of things) {
      for (const subject of [undefined, "linear:issue:ENG-9", "github:pull_request:acme/api#9"]) {
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

it.each([
  ["implments", "implements"],
  ["relate", "relates"],
  ["mention", "mentions"],
])("%s is refused as a slip for %s, but read where it was taken in before", (relation, meant) => {
  const sent = message({ type: "a.b", references: [{ entity: "a:b", relation }] })
  expect(() => custom.identify(sent, Buffer.from(""))).toThrow(
    `references[0].relation: unknown relation ${relation}; did you mean ${meant}? A word of your own must differ from it by more than a letter`,
  )
  expect(custom.normalize(sent)).toMatchObject({ type: "a.b", references: [{ relation }] })
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

import { describe, expect, expectTypeOf, it } from "vitest"
import { custom } from "../../src/platforms/custom/index.ts"
import type { CustomPayload } from "../../src/platforms/custom/schema.ts"

const least = { type: "ops.backup.done" }
const entity = "linear:issue:ENG-1"
const message = (payload: object) => ({
  headers: {},
  contentType: "application/json",
  payload,
  receivedAt: new Date("2026-11-21T12:00:00Z"),
})
const takeIn = (payload: object) => custom.identify(message(payload), Buffer.from(""))

describe("a reference has its own members alone", () => {
  it.each([
    [
      { entity, subjct: "x:y:2" },
      "references[0]: unknown member subjct; known: entity, relation, subject, evidence; did you mean subject?",
    ],
    [
      { enttiy: entity },
      "references[0]: unknown member enttiy; known: entity, relation, subject, evidence; did you mean entity?",
    ],
    [
      { entity, note: "so there" },
      "references[0]: unknown member note; known: entity, relation, subject, evidence",
    ],
  ])("%j is refused", (reference, fault) => {
    const refused = expect.objectContaining({ status: 400, message: `not a custom event: ${fault}` })
    expect(() => takeIn({ ...least, references: [reference] })).toThrow(refused)
  })

  it("is named by its place, the first that is at fault", () => {
    const references = [{ entity }, { entity, to: "x:y:2" }, { entity, from: "x:y:2" }]
    expect(() => takeIn({ ...least, references })).toThrow(/^not a custom event: references\[1\]: [^[]*$/)
  })

  it("and is taken as the hub tells it, with its evidence", () => {
    const told = { entity, relation: "mentions", evidence: { field: "title", text: "ENG-1" } }
    expect(takeIn({ ...least, references: [told] })).toMatchObject(least)
    expect(custom.normalize(message({ ...least, references: [told] })).references).toMatchObject([
      { entity, relation: "mentions", evidence: { field: "references[0]", text: entity } },
    ])
  })

  it("as its type says, too", () => {
    expectTypeOf<{
      type: "a.b"
      references: [{ entity: string; subject: string }]
    }>().toExtend<CustomPayload>()
    const misspelt: CustomPayload = {
      type: "a.b",
      // @ts-expect-error no such member
      references: [{ entity, subjct: "x:y:2" }],
    }
    expect(() => takeIn(misspelt)).toThrow("unknown member subjct")
  })
})

describe("an event may have members besides its own", () => {
  it.each([
    ["refs", "references"],
    ["reference", "references"],
    ["Entity", "entity"],
    ["titel", "title"],
    ["occured_at", "occurredAt"],
    ["correlation_id", "correlationId"],
    ["payloads", "payload"],
  ])("but not %s, which is one of those misspelt", (name, meant) => {
    const refused = expect.objectContaining({
      status: 400,
      message: `not a custom event: unknown member ${name}; did you mean ${meant}?`,
    })
    expect(() => takeIn({ ...least, [name]: [] })).toThrow(refused)
    expect(takeIn({ ...least, [name]: [], [meant]: null })).toMatchObject(least)
  })

  it.each([
    "id",
    "data",
    "source",
    "subject",
    "time",
    "specversion",
    "created",
    "text",
    "ref",
    "tags",
    "links",
  ])("such as %s, which passes", (name) => {
    expect(takeIn({ ...least, [name]: "anything" })).toMatchObject(least)
  })
})

it("what was taken in before is read as it was", () => {
  const references = [{ entity, subjct: "x:y:2" }]
  expect(custom.normalize(message({ ...least, entity: "a:b", references, titel: "T" }))).toMatchObject({
    type: least.type,
    title: null,
    references: [{ entity, relation: "relates" }],
  })
})

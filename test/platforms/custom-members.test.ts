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

describe("a reference with a misspelt member", () => {
  it.each([
    [{ entity, subjct: "x:y:2" }, "unknown member subjct; did you mean subject?"],
    [{ enttiy: entity }, "unknown member enttiy; did you mean entity?"],
    [{ entity, Relation: "implements" }, "unknown member Relation; did you mean relation?"],
  ])("%j is refused", (reference, fault) => {
    const told = `not a custom event: references[0]: ${fault}`
    const refused = expect.objectContaining({ status: 400, message: told })
    expect(() => takeIn({ ...least, references: [reference] })).toThrow(refused)
  })

  it("is named by its place, the first that is at fault", () => {
    const references = [{ entity }, { entity, subjct: "x:y:2" }, { entity, realtion: "blocks" }]
    expect(() => takeIn({ ...least, references })).toThrow(/^not a custom event: references\[1\]: [^[]*$/)
  })

  it.each(["id", "title", "url", "type", "note", "relations", "subjects"])(
    "is none with %s besides, which passes",
    (name) => {
      expect(takeIn({ ...least, references: [{ entity, [name]: "anything" }] })).toMatchObject(least)
    },
  )

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

it.each(["data", "specversion", "refs", "preferences", "factor", "tile", "occurred_at"])(
  "an event may have any member besides its own, such as %s",
  (name) => {
    expect(takeIn({ ...least, [name]: "anything" })).toMatchObject(least)
  },
)

it("what was taken in before is read as it was", () => {
  const references = [{ entity, subjct: "x:y:2" }]
  expect(custom.normalize(message({ ...least, entity: "a:b", references, titel: "T" }))).toMatchObject({
    type: least.type,
    title: null,
    references: [{ entity, relation: "relates" }],
  })
})

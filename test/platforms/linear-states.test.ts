import { describe, expect, it } from "vitest"
import type { Normalized } from "../../src/core/platform.ts"
import { normalize } from "../../src/platforms/linear/normalize.ts"
import { isEvent, loadFixtures, messageOf } from "../support/fixtures.ts"
import { expectStatesCoverWhatIsSaid } from "./support/covered.ts"

function read(payload: object): Normalized {
  return normalize({ headers: {}, contentType: "application/json", payload, receivedAt: new Date() })
}

const first = "2026-11-20T10:00:00.000Z"
const second = "2026-11-20T10:00:05.000Z"
const third = "2026-11-20T10:00:09.000Z"

describe("what an event says in a field of a thing, its state tells of", () => {
  it.each(
    loadFixtures("linear")
      .filter(isEvent)
      .map((fixture) => [fixture.shape, fixture] as const),
  )("%s", (_, { request, contentType }) => {
    expectStatesCoverWhatIsSaid(normalize(messageOf(request, contentType)))
  })
})

function update(data: object, updatedFrom: object) {
  return read({
    type: "Issue",
    action: "update",
    createdAt: third,
    data: { id: "I1", identifier: "ENG-1", updatedAt: second, ...data },
    updatedFrom: { updatedAt: first, ...updatedFrom },
  }).states?.[0]
}

describe("the state of an issue", () => {
  it("is told by its UUID, whatever its team", () => {
    expect(update({}, {})?.entity).toBe("linear:issue_id:i1")
    expect(update({ identifier: "OPS-5" }, {})?.entity).toBe("linear:issue_id:i1")
  })

  it("has what is shown, and what has just become empty; of the rest it says nothing", () => {
    const shown = {
      title: "Limits",
      priority: 1,
      priorityLabel: "Urgent",
      state: { name: "Done", type: "completed" },
      team: { key: "ENG" },
      labels: [{ name: "ui" }, { name: "api" }],
      stateId: "S1",
      cycleId: "C1",
    }
    expect(update(shown, { description: "Closes ENG-2", assigneeId: "U1", cycleId: "C0" })?.fields).toEqual({
      title: "Limits",
      body: null,
      state: "Done",
      stateType: "completed",
      priority: "Urgent",
      assignee: null,
      team: "ENG",
      labels: "api, ui",
    })
  })

  it("holds at its own time of change, or at the webhook's where a change did not move that", () => {
    expect(update({}, {})?.at.toISOString()).toBe(second)
    const data = { id: "I1", updatedAt: second }
    const at = (action: string, rest: object = {}) =>
      read({ type: "Issue", action, createdAt: third, data, ...rest }).states?.[0]?.at.toISOString()
    expect(at("update", { updatedFrom: { sortOrder: 1 } })).toBe(third)
    expect(at("remove")).toBe(third)
    expect(at("create")).toBe(second)
    const sla = read({ type: "IssueSLA", action: "breached", createdAt: third, issueData: data })
    expect(sla.states).toMatchObject([{ entity: "linear:issue_id:i1", at: new Date(second) }])
  })

  it("of a removed one is a tombstone, and nothing is said in its fields any more", () => {
    const data = { id: "I1", identifier: "ENG-1", description: "See ENG-2", parentId: "I0", updatedAt: first }
    const { states, texts, references } = read({ type: "Issue", action: "remove", createdAt: second, data })
    expect(states).toMatchObject([{ deleted: true, fields: { body: "See ENG-2" } }])
    expect(texts).toEqual([])
    expect(references.map(({ relation }) => relation)).toEqual(["same_as"])
  })
})

describe("a remark is a thing of its own", () => {
  it("with its own texts and its own time", () => {
    const data = { id: "C1", body: "See ENG-2", issueId: "I1", updatedAt: second }
    const { entity, states, texts } = read({ type: "Comment", action: "update", createdAt: third, data })
    expect(entity).toBe("linear:issue_id:i1")
    expect(states).toMatchObject([{ entity: "linear:comment:c1", fields: { body: "See ENG-2" } }])
    expect(texts).toMatchObject([{ field: "body", document: "linear:comment:c1" }])
  })

  it("also where another event brings a copy, which holds for when that came about", () => {
    const comment = { id: "C1", body: "See ENG-2", issueId: "I1" }
    const data = { id: "R1", emoji: "+1", comment, updatedAt: second }
    const reacted = read({ type: "Reaction", action: "create", createdAt: third, data })
    expect(reacted.states).toEqual([
      { entity: "linear:comment:c1", at: new Date(third), fields: { body: "See ENG-2" } },
    ])
    const taken = read({ type: "Reaction", action: "remove", createdAt: third, data })
    expect([taken.states, taken.texts]).toEqual([[], []])
  })

  it("as an attachment is, by the address that it points to", () => {
    const data = { id: "A1", url: "https://github.com/acme/api/pull/42", issueId: "I1", updatedAt: second }
    const { states, texts } = read({ type: "Attachment", action: "create", createdAt: third, data })
    expect(states).toMatchObject([{ entity: "linear:attachment:a1", fields: { attachment: data.url } }])
    expect(texts).toMatchObject([{ field: "attachment", document: "linear:attachment:a1" }])
  })
})

it("the description of a project and its content are fields of their own", () => {
  const data = {
    id: "P1",
    name: "Accounts",
    description: "See ENG-1",
    content: "See ENG-2",
    updatedAt: second,
  }
  const { states, texts } = read({ type: "Project", action: "update", createdAt: third, data })
  expect(states).toMatchObject([
    { entity: "linear:project:p1", fields: { name: "Accounts", body: "See ENG-1", content: "See ENG-2" } },
  ])
  expect(texts.map(({ field, text }) => [field, text])).toEqual([
    ["body", "See ENG-1"],
    ["content", "See ENG-2"],
  ])
})

import { expect, test } from "vitest"
import { custom } from "../../src/platforms/custom/index.ts"

const receivedAt = new Date("2026-11-21T12:00:00Z")
const statesOf = (payload: object) =>
  custom.normalize({ headers: {}, contentType: "application/json", payload, receivedAt }).states ?? []

const paid = { type: "billing.invoice.paid", entity: "billing:invoice:42" }

test("an event of one's own states what it tells of its thing: title, address and plain members", () => {
  const payload = {
    amount: 12.5,
    paid: true,
    currency: "EUR",
    due: null,
    title: "not this one",
    note: "x".repeat(300),
    lines: [1],
    customer: { id: 7 },
    ["a name that is none"]: 1,
  }
  const title = "Invoice 42 was paid"
  const url = "https://billing.example/42"
  expect(statesOf({ ...paid, title, url, payload, occurredAt: "2026-11-21T11:00:00Z" })).toEqual([
    {
      entity: "billing:invoice:42",
      at: new Date("2026-11-21T11:00:00Z"),
      keepsLinks: true,
      fields: {
        title,
        url,
        amount: 12.5,
        paid: true,
        currency: "EUR",
        due: null,
        note: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      },
    },
  ])
})

test("of fifty members at most, and not at all where nothing is told", () => {
  const payload = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`member${index}`, index]))
  expect(Object.keys(statesOf({ ...paid, payload })[0]?.fields ?? {})).toHaveLength(50)
  expect(statesOf(paid)).toEqual([])
  expect(statesOf({ type: "ops.backup.done", title: "Done" })).toEqual([])
})

test.each([
  "linear:issue:ENG-1",
  "github:pull_request:acme/api#42",
  "slack:message:T1/C1/1.2",
  "deployment:d-1",
])("nothing of %s, of which its own platform tells", (entity) => {
  expect(statesOf({ ...paid, entity, title: "An agent began", payload: { state: "Done" } })).toEqual([])
})

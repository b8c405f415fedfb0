import { createHash } from "node:crypto"
import * as fc from "fast-check"
import { describe, expect, expectTypeOf, test } from "vitest"
import type { LinearEvents } from "../../src/platforms/linear/events.ts"
import { linear } from "../../src/platforms/linear/index.ts"
import { loadFixtures, loadSigner, messageOf, signRequest } from "../support/fixtures.ts"

const fixture = loadFixtures("linear").find(({ shape }) => shape === "issue-update")
if (fixture === undefined) throw new Error("no fixture issue-update")
const { request, contentType } = fixture
const message = messageOf(request, contentType)
const signer = await loadSigner("linear")
if (signer === null) throw new Error("no signer")

function issueMessage(payload: unknown) {
  return {
    headers: {},
    contentType: "application/json",
    payload,
    receivedAt: new Date("2026-11-21T12:00:00Z"),
  }
}

describe("delivery keys of Linear", () => {
  test("are the delivery's, never the hook's: two deliveries of one hook are two events", () => {
    const keys = ["d1", "d2"].map(
      (delivery) =>
        linear.identify({ ...message, headers: { "linear-delivery": delivery } }, request.body).key,
    )
    expect(keys).toEqual(["d1", "d2"])
  })

  test("are the body's hash where the header is missing or empty", () => {
    const digest = createHash("sha256").update(request.body).digest("hex")
    for (const headers of [{}, { "linear-delivery": "" }]) {
      expect(linear.identify({ ...message, headers }, request.body).key).toBe(`sha256:${digest}`)
    }
  })

  test("fit into their column however long the header is", () => {
    const [full, over, further] = [512, 513, 514].map((length) => {
      const headers = { "linear-delivery": "x".repeat(length) }
      return linear.identify({ ...message, headers }, request.body).key
    })
    expect(full).toBe("x".repeat(512))
    expect(over).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(further).not.toBe(over)
  })
})

test("a retry hours later, with its first timestamp, is still verified", () => {
  const signed = signRequest(request, signer)
  const secrets = signer.secrets.map((value, index) => ({ id: `s${index}`, value }))
  const late = { ...signed, receivedAt: new Date(request.receivedAt.getTime() + 7 * 3_600_000) }
  expect(linear.verify(late, secrets)).toEqual({ ok: true, secretId: "s0" })
})

test.each([
  null,
  [],
  "x",
  1,
  {},
  { type: "Issue" },
  { action: "update" },
  { type: 1, action: "update" },
  { type: "…", action: "-" },
])("%j was signed all the same, and is taken", (payload) => {
  const identity = linear.identify(issueMessage(payload), Buffer.from("x"))
  expect(identity.type).toMatch(/^linear\.(issue|unknown)\.(update|received)$/)
  expect(identity.name).toMatch(/^.+:.+$/)
})

test.each([
  ["Issue", "linear.issue.update"],
  ["IssueSLA", "linear.issue_sla.update"],
  ["AgentSessionEvent", "linear.agent_session_event.update"],
  ["OAuthApp", "linear.oauth_app.update"],
  ["ProjectUpdate", "linear.project_update.update"],
])("model %s becomes type %s", (model, type) => {
  expect(linear.identify(issueMessage({ type: model, action: "update" }), Buffer.from("")).type).toBe(type)
})

test.each([
  ["https://linear.app/acme/issue/ENG-123/login-fails", "linear:issue:ENG-123"],
  ["https://linear.app/acme/issue/eng-123", "linear:issue:ENG-123"],
  ["https://linear.app/acme/issue/ENG-123/login-fails#comment-c0000000", "linear:issue:ENG-123"],
  ["https://linear.app/acme/issue/4U-7/?utm=x", "linear:issue:4U-7"],
  ["http://linear.app/acme/issue/ENG-123/", "linear:issue:ENG-123"],
  ["https://linear.app/acme/issue/ENG-012", null],
  ["https://linear.app/acme/issue/ABCDEFGH-1", null],
  ["https://linear.app/acme/issue/12-34", null],
  ["https://linear.app/acme/issue/", null],
  ["https://linear.app/acme/project/accounts-5bfd1327f54b", null],
  ["https://linear.app/acme/team/ENG/active", null],
  ["https://linear.app.evil.example/acme/issue/ENG-123", null],
  ["https://evil.example/linear.app/acme/issue/ENG-123", null],
])("the URL %s leads to %s", (url, entity) => {
  expect(linear.entityFromUrl?.(new URL(url)) ?? null).toBe(entity)
})

test("an issue and what only knows its UUID meet through same_as, in whatever order", () => {
  const uuid = "15500000-0000-4000-8000-000000000123"
  const issue = linear.normalize(
    issueMessage({ type: "Issue", action: "create", data: { id: uuid, identifier: "ENG-123" } }),
  )
  const attachment = linear.normalize(
    issueMessage({ type: "Attachment", action: "create", data: { id: "a1", issueId: uuid } }),
  )
  expect(issue.references).toContainEqual(
    expect.objectContaining({ entity: attachment.entity, relation: "same_as" }),
  )
})

test("a moved issue has one UUID key under both identifiers", () => {
  const events = ["OPS-7", "ENG-123"].map((identifier) =>
    linear.normalize(issueMessage({ type: "Issue", action: "update", data: { id: "u-1", identifier } })),
  )
  expect(events.map(({ entity }) => entity)).toEqual(["linear:issue:OPS-7", "linear:issue:ENG-123"])
  for (const { references } of events) {
    expect(references.map(({ entity }) => entity)).toEqual(["linear:issue_id:u-1"])
  }
})

test("no payload makes it throw, and what comes out is fit for the database", () => {
  const field = fc.constantFrom(
    "data",
    "issueData",
    "agentSession",
    "notification",
    "actor",
    "updatedFrom",
    "createdAt",
    "url",
    "id",
    "identifier",
    "team",
    "key",
    "number",
    "issue",
    "issueId",
    "comment",
    "body",
    "title",
    "state",
    "previousIdentifiers",
    "updatedAt",
    "__proto__",
    "constructor",
    "project",
    "projectUpdate",
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom("ENG-1", "\0", "\uD800", "2026-11-21T12:00:00Z", "https://linear.app/a/issue/ENG-1"),
      fc.string({ unit: "binary" }),
      fc.jsonValue(),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.array(fc.tuple(field, tie("any")), { maxLength: 8 }).map((entries) => Object.fromEntries(entries)),
    ),
  })).any
  const model = fc.constantFrom(
    "Issue",
    "Comment",
    "Attachment",
    "Reaction",
    "IssueSLA",
    "AgentSessionEvent",
    "X",
  )
  fc.assert(
    fc.property(model, value, (type, rest) => {
      const payload = JSON.parse(JSON.stringify({ ...Object(rest), type, action: "update" }))
      const normalized = linear.normalize(issueMessage(payload))
      expect(normalized.occurredAt.getTime()).not.toBeNaN()
      const written = JSON.stringify([
        normalized.entity,
        normalized.title,
        normalized.detail,
        normalized.references,
      ])
      expect(written).not.toMatch(/\\u0000|\\ud[89a-f]/i)
      expect(Object.keys(normalized.detail ?? {})).toEqual(linear.detail?.columns)
      for (const text of normalized.texts) linear.mentionsIn?.(text, normalized.entity)
    }),
  )
  expect({}).not.toHaveProperty("polluted")
})

test("depth that would overflow a stack is survived", () => {
  const deep = JSON.parse(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`)
  const { detail } = linear.normalize(
    issueMessage({ type: "Issue", action: "update", data: deep, updatedFrom: deep }),
  )
  expect(JSON.stringify(detail).length).toBeLessThan(1000)
})

test("handlers get payloads typed by name", () => {
  expectTypeOf<LinearEvents["Issue:update"]["data"]["identifier"]>().toEqualTypeOf<string>()
  expectTypeOf<LinearEvents["Comment"]["data"]["body"]>().toEqualTypeOf<string>()
  expectTypeOf<LinearEvents["IssueSLA:breached"]["issueData"]["title"]>().toEqualTypeOf<string>()
  expectTypeOf<LinearEvents["AgentSessionEvent:created"]["agentSession"]["id"]>().toEqualTypeOf<string>()
  expectTypeOf<"Issue:explode">().not.toExtend<keyof LinearEvents>()
})

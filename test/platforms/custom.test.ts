import { createHash } from "node:crypto"
import { describe, expect, expectTypeOf, test } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import { custom } from "../../src/platforms/custom/index.ts"
import type { CustomPayload } from "../../src/platforms/custom/schema.ts"

const least = { type: "ops.backup.done" }

function message(payload: unknown, headers: Record<string, string> = {}) {
  const receivedAt = new Date("2026-11-21T12:00:00Z")
  return { headers, contentType: "application/json", payload, receivedAt }
}

function keyOf(headers: Record<string, string>, body = "{}"): string {
  return custom.identify(message(least, headers), Buffer.from(body)).key
}

describe("the key", () => {
  test("is the webhook's id, else the idempotency key, else the body's hash", () => {
    expect(keyOf({ "webhook-id": "one" })).toBe("one")
    expect(keyOf({ "idempotency-key": "two" })).toBe("two")
    expect(keyOf({ "idempotency-key": "two", "webhook-id": "  " })).toBe("two")
    expect(keyOf({}, "body")).toBe(`sha256:${createHash("sha256").update("body").digest("hex")}`)
    expect(keyOf({}, "body")).not.toBe(keyOf({}, "other body"))
  })

  test("of a signed webhook is what is signed: a header that anybody may add makes no new event of it", () => {
    expect(keyOf({ "webhook-id": "one", "idempotency-key": "two" })).toBe("one")
  })

  test("fits into its column however long the header is", () => {
    expect(keyOf({ "idempotency-key": "x".repeat(5000) })).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
})

describe("a body that is no custom event is a 400 that names the field", () => {
  test.each([
    [null, /^not a custom event: the body must be a JSON object$/],
    ["text", /the body must be a JSON object/],
    [{}, /type: must be text$/],
    [{ type: "single" }, /type: must be two or more segments/],
    [{ type: "Ops.Backup" }, /type: must be two or more segments/],
    [{ type: "ops..done" }, /type: must be two or more segments/],
    [{ type: "ops.done." }, /type: must be two or more segments/],
    [{ type: "ops.*" }, /type: must be two or more segments/],
    [{ type: `ops.${"x".repeat(200)}` }, /type: must be 200 characters or fewer/],
    [{ type: "github.push.pushed" }, /type: must not begin with another platform's name/],
    [{ type: "deployment.production.success" }, /type: must not begin with another platform's name/],
    [{ type: "postgres.orders.insert" }, /type: must not begin with another platform's name/],
    [{ ...least, entity: "ENG-123" }, /entity: must be an entity's key/],
    [{ ...least, entity: 7 }, /entity: must be text/],
    [{ ...least, url: "ftp://x.example" }, /url: must be an absolute http or https URL/],
    [{ ...least, priority: "urgent" }, /priority: must be one of critical, high, normal, low/],
    [{ ...least, occurredAt: "+275760-09-13T00:00:00Z" }, /occurredAt: must be an RFC 3339 time/],
    [{ ...least, references: {} }, /references: must be a list/],
    [{ ...least, references: [{ entity: "x" }] }, /references\[0\]\.entity: must be an entity's key/],
    [
      { ...least, references: [{ entity: "a:b", relation: "Is Bad" }] },
      /references\[0\]\.relation: must be lower-case/,
    ],
    [
      { ...least, references: Array.from({ length: 501 }, () => ({ entity: "a:b" })) },
      /references: must list 500/,
    ],
    [{ ...least, correlationId: "" }, /correlationId: must not be empty/],
    [{ ...least, causationId: "x".repeat(129) }, /causationId: must be 128 characters or fewer/],
    [{ ...least, title: "two\nlines" }, /title: must hold no line break/],
  ])("%j", (payload, expected) => {
    const read = () => custom.identify(message(payload), Buffer.from(""))
    expect(read).toThrow(SignalboxError)
    expect(read).toThrow(expect.objectContaining({ status: 400, message: expect.stringMatching(expected) }))
  })
})

test.each(["ops.done", "custom.thing", "githubber.push.x", "a.b.c.d.e", "a_1.2b"])("%s is a type", (type) => {
  expect(custom.identify(message({ type }), Buffer.from(""))).toMatchObject({ type, name: type })
})

test("a source without a secret believes nobody", () => {
  const headers = {
    "webhook-id": "m",
    "webhook-timestamp": "1795262400",
    "webhook-signature": `v1,${"A".repeat(43)}=`,
  }
  const request = { headers, body: Buffer.from("{}"), receivedAt: new Date(1795262400_000) }
  expect(custom.verify(request, [])).toMatchObject({ ok: false, code: "signature_mismatch" })
})

test("senders get it typed", () => {
  expectTypeOf({ type: "a.b", payload: { any: ["thing"] } }).toExtend<CustomPayload>()
  expectTypeOf<{ type: "a.b"; priority: "urgent" }>().not.toExtend<CustomPayload>()
})

import * as fc from "fast-check"
import { expect, test } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { renderEvent, renderEventBytes } from "../../src/core/render.ts"
import { testEvent } from "../../src/delivery/test-event.ts"

const made = testEvent("default", { id: "1", name: "one" }, new Date(0))

/** Payloads as senders write them: printed or not, in any script, with secrets and without, or no JSON at all. */
const bodies = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value, null, 2).replaceAll("\n", "\r\n"))),
  fc
    .constantFrom(
      '{"token":"ghp_abcdefghijklmnopqrstuvwxyz0123456789"}',
      '{"a":"é\\n\u2028"}',
      "\ufeff{}",
      "payload=%7B%7D&x=1",
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
)

function outcomeOf(render: () => string | Buffer): string {
  try {
    return Buffer.from(render()).toString("hex")
  } catch (error) {
    return String(error)
  }
}

test("an event as bytes is what it is as text, whatever its body", () => {
  const contentTypes = fc.constantFrom("application/json", "application/x-www-form-urlencoded; charset=utf-8")
  const more = fc.constantFrom(undefined, '"replay":true')
  fc.assert(
    fc.property(bodies, contentTypes, more, fc.string(), (raw, contentType, member, title) => {
      const event: LoggedEvent = { ...made, title, contentType, raw }
      expect(outcomeOf(() => renderEventBytes(event, member))).toBe(
        outcomeOf(() => renderEvent(event, member)),
      )
    }),
    { numRuns: 500 },
  )
})

import * as fc from "fast-check"
import { expect, test } from "vitest"
import { eventSubject, subjectToken } from "../../src/nats/subject.ts"

test("whatever tenants and types are called, a subject is one that NATS takes, and tells tenants apart", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 300 })
  fc.assert(
    fc.property(text, text, (tenant, type) => {
      const subject = eventSubject("signalbox", { tenant, type })
      const tokens = subject.split(".")
      expect(tokens.length).toBeGreaterThanOrEqual(3) // never the subject of a notice
      for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_%-]+$/)
      expect(Buffer.byteLength(subject)).toBeLessThan(3_800) // the server's line has room for 4,096
    }),
  )
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(subjectToken(one) === subjectToken(other)).toBe(one === other)
    }),
  )
})

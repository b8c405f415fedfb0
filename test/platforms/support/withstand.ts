import { expect } from "vitest"
import { SignalboxError } from "../../../src/core/errors.ts"
import { priorities } from "../../../src/core/envelope.ts"
import type { Identity, Message, Platform } from "../../../src/core/platform.ts"
import type { Fixture } from "../../support/fixtures.ts"
import { expectWellFormed, expectWellFormedMentions, expectWellFormedType } from "./well-formed.ts"

/** A request as it came. */
type Delivered = Pick<Fixture, "request" | "contentType">

/** A hostile body may be refused with a clear 4xx; whatever is not refused is well-formed, and reading it never throws. */
export function expectWithstands(platform: Platform, fixture: Delivered, payload: unknown): void {
  const { identity, message } = attemptIdentity(platform, fixture, payload)
  if (identity !== null) expectWellFormedIdentity(identity, platform)
  const normalized = platform.normalize(message)
  expectWellFormed(normalized, platform)
  if (identity !== null) expect(normalized.type).toBe(identity.type)
  for (const field of normalized.texts) {
    expectWellFormedMentions(platform.mentionsIn?.(field, normalized.entity) ?? [], field)
  }
  expect(() => platform.acknowledge?.(message)).not.toThrow()
  expect(() => platform.handshake?.(message, true)).not.toThrow()
  expect(() => platform.handshake?.(message, false)).not.toThrow()
}

/** The identity of a delivery, or null where it is refused with a clear 4xx; anything else thrown is a fault. */
export function attemptIdentity(
  platform: Platform,
  { request, contentType }: Delivered,
  payload: unknown,
): { identity: Identity | null; message: Message } {
  const { headers, receivedAt, sender } = request
  const message: Message = { headers, contentType, payload, receivedAt, sender }
  try {
    return { identity: platform.identify(message, request.body), message }
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error
    expect(error.status).toBeGreaterThanOrEqual(400)
    expect(error.status).toBeLessThan(500)
    return { identity: null, message }
  }
}

/** A key and a name that the tables take, and a type and a priority that mean something. */
export function expectWellFormedIdentity({ key, name, type, priority }: Identity, platform: Platform): void {
  expect(key).not.toBe("")
  for (const text of [key, name]) {
    expect(text.isWellFormed() && !text.includes("\0"), JSON.stringify(text)).toBe(true)
  }
  expect(Buffer.byteLength(key)).toBeLessThanOrEqual(512)
  expect(name).not.toBe("")
  expect(name.length).toBeLessThanOrEqual(256)
  expectWellFormedType(type, platform)
  expect(priorities).toContain(priority)
}

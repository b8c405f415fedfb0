import { expect, it } from "vitest"
import type { InboundRequest, TestDelivery } from "../../src/core/platform.ts"
import { platforms } from "../../src/platforms/index.ts"
import { generateSecret } from "../../src/sources/generate-secret.ts"
import { messageOf } from "../support/fixtures.ts"

const at = new Date("2026-11-21T12:00:00.250Z")

/** Every platform that can make a test delivery, in its own form and in that of each of its senders. */
const cases = platforms
  .filter(({ testDelivery }) => testDelivery !== undefined)
  .flatMap((platform) =>
    [undefined, ...(platform.senders ?? [])].map(
      (sender) =>
        [`${platform.name}${sender === undefined ? "" : ` as ${sender}`}`, platform, sender] as const,
    ),
  )

it.each(cases)(
  "%s tests itself: a delivery that verifies, is told from the next one, and says that it is a test",
  (_, platform, sender) => {
    const secret = { id: "s", value: generateSecret(platform, sender) ?? "" }
    const requestOf = ({ headers, body }: TestDelivery): InboundRequest => ({
      headers,
      body,
      receivedAt: at,
      sender,
    })
    const identified = (request: InboundRequest) => {
      const message = { ...messageOf(request, request.headers["content-type"] ?? ""), sender }
      return { message, ...platform.identify(message, request.body) }
    }
    const made = platform.testDelivery?.(secret, at, sender)
    const next = platform.testDelivery?.(secret, new Date(at.getTime() + 1), sender)
    if (made === undefined || made === null || next === undefined || next === null) {
      throw new Error("it makes none")
    }
    expect(platform.verify(requestOf(made), [secret])).toEqual({ ok: true, secretId: "s" })

    const { key, type, message } = identified(requestOf(made))
    expect(identified(requestOf(next)).key).not.toBe(key)
    const normalized = platform.normalize(message)
    expect(normalized.type).toBe(type)
    expect(JSON.stringify([key, type, normalized.title])).toMatch(/test/i)
    expect(Math.abs(normalized.occurredAt.getTime() - at.getTime())).toBeLessThan(1_000)
  },
)

it("every platform whose sender signs has a test delivery", () => {
  const without = platforms.filter(
    ({ secretVariable, testDelivery }) => secretVariable !== null && testDelivery === undefined,
  )
  expect(without.map(({ name }) => name)).toEqual([])
})

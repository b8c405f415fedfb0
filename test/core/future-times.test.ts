import { describe, expect, it } from "vitest"
import type { PlatformName } from "../../src/core/envelope.ts"
import { createNormalizer } from "../../src/core/normalize-event.ts"
import { platforms } from "../../src/platforms/index.ts"
import { eventOf, normalizedOf } from "../correlation/support.ts"

const normalize = createNormalizer(platforms)
const receivedAt = new Date("2026-11-21T12:00:00.250Z")
const latest = new Date("2026-11-21T12:05:00.250Z")

/** When an event counts as having happened, and the thing as having stood so. */
function timesOf(platform: PlatformName, payload: object, headers: Record<string, string> = {}) {
  const raw = Buffer.from(JSON.stringify(payload))
  const { event, normalized } = normalize(
    eventOf(normalizedOf({}), { platform, headers, raw, receivedAt, occurredAt: null }),
  )
  return [event.occurredAt, ...(normalized.states ?? []).map(({ at }) => at)]
}

const deployed = (occurredAt?: string) =>
  timesOf("deployment", { id: "d-1", provider: "ci", status: "success", occurredAt })
const paid = (occurredAt?: string) =>
  timesOf("custom", { type: "billing.invoice.paid", entity: "billing:invoice:1", title: "Paid", occurredAt })

describe.each([
  ["a deployment", deployed],
  ["a custom event", paid],
])("%s, whose time any clock may have set", (_, times) => {
  it("happened at the latest five minutes after it came", () => {
    expect(times("2062-03-01T00:00:00Z")).toEqual([latest, latest])
    expect(times("2026-11-21T12:05:00.251Z")).toEqual([latest, latest])
  })

  it("happened when it says, up to then", () => {
    for (const when of ["2026-11-21T12:05:00.250Z", "2026-11-21T11:00:00.500Z", "1999-01-01T00:00:00.001Z"]) {
      expect(times(when)).toEqual([new Date(when), new Date(when)])
    }
    expect(times()).toEqual([receivedAt, receivedAt])
  })
})

it("an event of a platform that sets its times itself happened when that says, whatever time it is here", () => {
  const updated_at = "2026-11-21T14:00:00Z"
  const issue = { id: 1, number: 7, title: "Limits", state: "open", created_at: updated_at, updated_at }
  const repository = { id: 7, full_name: "acme/api" }
  const times = timesOf("github", { action: "opened", issue, repository }, { "x-github-event": "issues" })
  expect(times).toEqual([new Date(updated_at), new Date(updated_at)])
})

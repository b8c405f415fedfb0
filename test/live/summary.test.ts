import { expect, it } from "vitest"
import type { LiveIn, PendingIn } from "../../src/live/status.ts"
import { summaryOf } from "../../src/live/summary.ts"

const merged = { entity: "linear:issue:ENG-8000", title: null, state: null }
const pullRequests = ["acme/be#1", "acme/fe#2"].map((name) => ({
  entity: `github:pull_request:${name}`,
  title: null,
  state: "merged",
  merged: true,
  mergedAt: null,
  mergeCommit: null,
  revertedBy: null,
  live: [],
}))

function liveIn(environment: string, service: string | null): LiveIn {
  const since = new Date("2026-11-21T10:00:00Z")
  return { environment, service, kind: environment, since, deployment: "deployment:github/1", sha: null }
}

function pendingIn(environment: string, service: string | null): PendingIn {
  return { environment, service, kind: environment, reason: "no deployment there holds acme/fe#2" }
}

it("names the services of an environment where a thing is not live beside those where it is", () => {
  const live = [liveIn("production", "acme/be")]
  const pending = [pendingIn("production", "acme/fe"), pendingIn("staging", "acme/be")]
  expect(summaryOf({ ...merged, pullRequests, live, pending })).toBe(
    "merged, live in production of acme/be since 2026-11-21T10:00:00Z, not live in production of acme/fe, not live in staging",
  )
})

it("tells a service without a name from the others", () => {
  const both = { live: [liveIn("production", "be")], pending: [pendingIn("production", null)] }
  expect(summaryOf({ ...merged, pullRequests, ...both })).toBe(
    "merged, live in production of be since 2026-11-21T10:00:00Z, not live in production of another service",
  )
})

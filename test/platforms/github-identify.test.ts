import { expect, it } from "vitest"
import type { Identity, Message } from "../../src/core/platform.ts"
import { github } from "../../src/platforms/github/index.ts"

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
const pullRequest = { action: "opened", number: 1, pull_request: { number: 1 } }

function message(payload: unknown, headers: Record<string, string> = {}): Message {
  return {
    headers: { "x-github-event": "pull_request", "x-github-delivery": guid, ...headers },
    contentType: "application/json",
    payload,
    receivedAt: new Date("2026-11-21T12:00:00Z"),
  }
}

function identify(payload: unknown, headers: Record<string, string> = {}): Identity {
  return github.identify(message(payload, headers), Buffer.alloc(0))
}

it("the delivery key is the GUID, in one case", () => {
  expect(identify(pullRequest, { "x-github-delivery": guid.toUpperCase() }).key).toBe(guid)
})

it.each([
  ["no event", { "x-github-event": "" }, /X-GitHub-Event is missing/],
  ["no delivery", { "x-github-delivery": "" }, /X-GitHub-Delivery is missing/],
  ["a delivery with a blank", { "x-github-delivery": "1 2" }, /not a GUID/],
  ["a delivery without end", { "x-github-delivery": guid.repeat(500) }, /not a GUID/],
  ["an event called *", { "x-github-event": "*" }, /not the name of an event/],
  ["an event called __proto__", { "x-github-event": "__proto__" }, /not the name of an event/],
  ["an event with a dot", { "x-github-event": "pull_request.opened" }, /not the name of an event/],
  ["an event in upper case", { "x-github-event": "Push" }, /not the name of an event/],
  ["an event without end", { "x-github-event": "a".repeat(65) }, /not the name of an event/],
])("%s is refused in words", (_, headers, words) => {
  expect(() => identify(pullRequest, headers)).toThrow(words)
  expect(() => identify(pullRequest, headers)).toThrow(
    expect.objectContaining({ status: 400, code: "bad_request" }),
  )
})

it.each([[[]], [[pullRequest]], [null], [7], ["text"], [true], [{}], [{ zen: 1 }]])(
  "a signed body that is %j is taken, whatever it claims",
  (payload) => {
    expect(identify(payload).key).toBe(guid)
    expect(identify(payload, { "x-github-event": "push" }).type).toBe("github.push.pushed")
  },
)

it("a delivery key that is no GUID is taken as it is", () => {
  expect(identify(pullRequest, { "x-github-delivery": "replay-7" }).key).toBe("replay-7")
})

it.each(["error", "constructor", "valueof", "has_own_property", "quantum_entanglement", "projects_v3"])(
  "an event called %s, which GitHub may add one day, is taken like any other",
  (event) => {
    const identity = identify({ action: "went" }, { "x-github-event": event })
    expect(identity).toEqual({
      key: guid,
      name: `${event}:went`,
      type: `github.${event}.went`,
      priority: "normal",
      endpointHeader: "x-github-hook-id",
    })
  },
)

it("a captured delivery cannot be passed off as another event", () => {
  expect(() => identify(pullRequest, { "x-github-event": "push" })).toThrow(
    /says push, and the body is one of pull_request/,
  )
  expect(() =>
    identify({ repository: {}, action: "created", label: {} }, { "x-github-event": "repository" }),
  ).toThrow(/the body is one of label/)
  expect(() =>
    identify({ repository: {}, action: "created", starred_at: null }, { "x-github-event": "watch" }),
  ).toThrow(/the body is one of star/)
})

it("a form without the field payload is refused in words", () => {
  const form = { ...message(pullRequest), contentType: "application/x-www-form-urlencoded; charset=utf-8" }
  expect(() => github.identify(form, Buffer.from("xpayload=1&action=opened"))).toThrow(/no field payload/)
  expect(github.identify(form, Buffer.from("a=1&payload=%7B%7D")).name).toBe("pull_request:opened")
})

it.each([
  ["secret_scanning_alert", "created", { alert: { number: 1, secret_type: "x" } }, "critical"],
  ["secret_scanning_alert", "resolved", { alert: { number: 1, secret_type: "x" } }, "normal"],
  ["deployment_status", "created", status("failure", { environment: "Production" }), "critical"],
  [
    "deployment_status",
    "created",
    status("error", { production_environment: true, environment: "eu" }),
    "critical",
  ],
  ["deployment_status", "created", status("failure", { environment: "preview" }), "high"],
  ["deployment_status", "created", status("inactive", { environment: "production" }), "high"],
  ["pull_request", "opened", pullRequest, "high"],
  ["pull_request", "labeled", pullRequest, "normal"],
  ["check_run", "completed", { check_run: { status: "completed", conclusion: "failure" } }, "high"],
  ["check_run", "completed", { check_run: { status: "completed", conclusion: "success" } }, "normal"],
  ["check_run", "created", { check_run: { status: "queued", conclusion: null } }, "low"],
  ["star", "created", { starred_at: null, repository: {} }, "low"],
])("%s:%s has the priority that people would give it", (event, action, body, priority) => {
  expect(identify({ ...body, action }, { "x-github-event": event }).priority).toBe(priority)
})

function status(state: string, deployment: object) {
  return { deployment_status: { state }, deployment }
}

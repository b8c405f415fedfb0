import * as fc from "fast-check"
import { describe, expect, expectTypeOf, test } from "vitest"
import { canonicalEntityKey } from "../../src/core/entity-key.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import { environmentKindOf } from "../../src/platforms/deployment/environment-kind.ts"
import type { DeploymentEvents } from "../../src/platforms/deployment/events.ts"
import { deployment } from "../../src/platforms/deployment/index.ts"
import type { DeploymentPayload } from "../../src/platforms/deployment/schema.ts"
import { statuses, statusOf } from "../../src/platforms/deployment/status.ts"

const least = { id: "d-1", provider: "acme-deploy", status: "success" }

function message(payload: unknown) {
  const receivedAt = new Date("2026-11-21T12:00:00Z")
  return { headers: {}, contentType: "application/json", payload, receivedAt }
}

function keyOf(payload: unknown): string {
  return deployment.identify(message(payload), Buffer.from("")).key
}

/** The key, and the parts it is made of; null where the body is refused. */
function partsOf(payload: DeploymentPayload): { key: string; parts: unknown[] } | null {
  try {
    const { detail } = deployment.normalize(message(payload))
    const parts = [detail?.["provider"], detail?.["deployment_id"], payload.status, payload.attempt]
    return { key: keyOf(payload), parts }
  } catch {
    return null
  }
}

describe("a body that is no deployment is a 400 that names the field", () => {
  test.each([
    [null, /^not a deployment: the body must be a JSON object$/],
    [[], /the body must be a JSON object/],
    [{}, /id: .*; provider: must be text; status: must be text$/],
    [{ ...least, id: "" }, /id: must not be empty/],
    [{ ...least, id: {} }, /id: must be text of 1 to 200 characters/],
    [{ ...least, id: 1.5 }, /id: /],
    [{ ...least, id: "a\nb" }, /id: /],
    [{ ...least, id: "x".repeat(201) }, /id: /],
    [{ ...least, provider: "  " }, /provider: must not be empty/],
    [
      { ...least, status: "exploded" },
      /status: must be one of queued, in_progress, success, failure, canceled/,
    ],
    [{ ...least, sha: "main" }, /sha: must be a commit's SHA/],
    [{ ...least, previousSha: 7 }, /previousSha: must be text/],
    [{ ...least, repo: { fullName: "api" } }, /repo\.fullName: must be the repository's full name/],
    [{ ...least, repo: {} }, /repo\.fullName: /],
    [{ ...least, url: "javascript:alert(1)" }, /url: must be an absolute http or https URL/],
    [{ ...least, occurredAt: "yesterday" }, /occurredAt: must be an RFC 3339 time/],
    [{ ...least, occurredAt: 1795262400 }, /occurredAt: must be text/],
    [{ ...least, occurredAt: "2026-11-21T12:00:00" }, /occurredAt: must be an RFC 3339 time/],
    [{ ...least, prs: "42" }, /prs: must be a list/],
    [{ ...least, prs: [{}] }, /prs\[0\]: must be a number/],
    [{ ...least, prs: [42, -1] }, /prs\[1\]: must be 1 or more/],
    [{ ...least, prs: Array.from({ length: 501 }, () => 1) }, /prs: must list 500 or fewer/],
    [
      { ...least, enviroment: "production" },
      /^not a deployment: unknown member enviroment; did you mean environment\?$/,
    ],
    [{ ...least, environment_kind: "production" }, /did you mean environmentKind\?$/],
    [{ ...least, issues: ["ENG-1"], Ref: "main" }, /unknown member Ref; did you mean ref\?$/],
    [{ ...least, attempt: 0 }, /attempt: must be 1 or more/],
    [{ ...least, attempt: "2" }, /attempt: must be a whole number/],
    [{ ...least, actor: {} }, /actor: must have an id or a name/],
    [{ ...least, actor: 7 }, /actor: must be a name, or \{id, name, bot\}/],
  ])("%j", (payload, expected) => {
    const read = () => keyOf(payload)
    expect(read).toThrow(SignalboxError)
    expect(read).toThrow(expect.objectContaining({ status: 400, message: expect.stringMatching(expected) }))
  })

  test("of many faults the first five are told", () => {
    const payload = { sha: 1, previousSha: 1, url: 1, logUrl: 1, prs: 1, issues: 1 }
    expect(() => keyOf(payload)).toThrow(/; and 4 more$/)
  })

  test("and no part of the body is told", () => {
    const payload = {
      ...least,
      status: "s3cret",
      sha: "s3cret",
      url: "s3cret",
      environment: ["s3cret"],
      prs: ["s3cret", {}],
    }
    expect(() => keyOf(payload)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("s3cret") }),
    )
  })
})

test.each([
  { attempts: 3, attempt: 1, _id: "x", projectId: 7, repoUrl: "https://git.example/acme/api" },
  { environmentId: "e-1", environmentTier: "production", attempts: 2, issue: "ENG-1", projects: [] },
  { blogUrl: "https://acme.example", relationId: "r-1", statuses: [], urls: [] },
  { provider_id: 1, revision: "abc", env: "prod", prs2: [], environmentUrl: "https://acme.example" },
])("what a tool sends besides is let pass: %j", (besides) => {
  expect(keyOf({ ...least, ...besides })).toBe(keyOf(least))
})

test("what was taken in with a misspelt member is read again as it was", () => {
  const again = deployment.normalize(message({ ...least, enviroment: "production" }))
  expect(again.type).toBe("deployment.unknown.success")
  expect(again.entity).toBe("deployment:d-1")
})

describe("the key", () => {
  test("is provider, id, status and attempt, and nothing else", () => {
    expect(keyOf(least)).toBe("acme-deploy/d-1/success/1")
    expect(keyOf({ ...least, attempt: 1, environment: "prod", extra: true })).toBe(keyOf(least))
    expect(keyOf({ ...least, status: "Succeeded" })).toBe(keyOf(least))
    expect(keyOf({ ...least, id: 7 })).toBe(keyOf({ ...least, id: "7" }))
    const others = [{ id: "d-2" }, { provider: "x" }, { status: "failure" }, { attempt: 2 }]
    expect(new Set([least, ...others.map((one) => ({ ...least, ...one }))].map(keyOf)).size).toBe(5)
  })

  test("never runs two parts into one", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 60 })
    const one = fc.record({
      id: text,
      provider: text,
      status: fc.constantFrom(...statuses),
      attempt: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(one, one, (first, second) => {
        const [a, b] = [partsOf(first), partsOf(second)]
        fc.pre(a !== null && b !== null)
        expect(a.key === b.key).toBe(JSON.stringify(a.parts) === JSON.stringify(b.parts))
        expect(Buffer.byteLength(a.key)).toBeLessThanOrEqual(512)
      }),
    )
  })
})

test("needs nothing of its headers: the API submits the same bodies unsigned", () => {
  const signed = { ...message(least), headers: { "webhook-id": "msg_1", "webhook-timestamp": "1" } }
  expect(deployment.identify(signed, Buffer.from("x"))).toEqual(
    deployment.identify(message(least), Buffer.from("y")),
  )
  expect(deployment.normalize(signed)).toEqual(deployment.normalize(message(least)))
})

test("whatever its id, its entity is a key in the form that keys are stored in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 60 }), (id) => {
      const { entity } = deployment.normalize(message({ ...least, id }))
      expect(entity === null ? null : canonicalEntityKey(entity)).toBe(entity)
    }),
  )
})

test.each([
  ["queued", ["queued", "pending", "WAITING"]],
  ["in_progress", ["in progress", "in-progress", "Running", "building"]],
  ["success", ["success", "Succeeded", "ready", "READY"]],
  ["failure", ["failure", "failed", "error", "timed out"]],
  ["canceled", ["canceled", "cancelled", "Aborted"]],
  ["inactive", ["inactive", "superseded"]],
  ["rolled_back", ["rolled_back", "rolled back", "rollback"]],
  [null, ["", "exploded", "__proto__", "constructor"]],
])("%s is what tools call %j", (status, words) => {
  expect(words.map(statusOf)).toEqual(words.map(() => status))
})

test.each([
  [null, "production", "production"],
  [null, "Prod", "production"],
  [null, "prod-eu-1", "production"],
  [null, "acme/production", "production"],
  [null, "pre-prod", "staging"],
  [null, "preprod", "staging"],
  [null, "non-prod", "unknown"],
  [null, "staging", "staging"],
  [null, "Preview – docs", "preview"],
  [null, "preview/pr-42", "preview"],
  [null, "QA 2", "test"],
  [null, "dev", "development"],
  [null, "staging-of-production", "unknown"],
  [null, "productionish", "unknown"],
  [null, "eu-west-1", "unknown"],
  [null, "", "unknown"],
  [null, null, "unknown"],
  ["prd", "whatever", "production"],
  ["Pre-Production", null, "staging"],
  ["canary", "production", "canary"],
  ["…", "production", "production"],
])("told %j, an environment named %j is of kind %s", (told, name, kind) => {
  expect(environmentKindOf(told, name)).toBe(kind)
})

test("handlers and senders get it typed", () => {
  expectTypeOf<DeploymentEvents["production:success"]>().toEqualTypeOf<DeploymentPayload>()
  expectTypeOf<"production:exploded">().not.toExtend<keyof DeploymentEvents>()
  expectTypeOf(least).toExtend<DeploymentPayload>()
  expectTypeOf<{ id: string }>().not.toExtend<DeploymentPayload>()
})

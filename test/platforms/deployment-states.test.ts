import { describe, expect, test } from "vitest"
import { deployment } from "../../src/platforms/deployment/index.ts"

const receivedAt = new Date("2026-11-21T12:00:00.250Z")

function stateOf(payload: object, sender?: string) {
  const message = { headers: {}, contentType: "application/json", payload, receivedAt, sender }
  const { states = [] } = deployment.normalize(message)
  expect(states.length).toBeLessThan(2)
  return states[0]
}

const least = { id: "d-1", provider: "acme-deploy", status: "in_progress" }

/** When a deployment stood so that was told of at a full second. */
const at = (status: string) => Number(stateOf({ ...least, status, occurredAt: "2026-11-21T11:00:00Z" })?.at)

describe("a deployment states how it stands", () => {
  test("with all that is told of it, by its own names", () => {
    const state = stateOf({
      ...least,
      status: "Succeeded",
      project: "api",
      repo: { fullName: "Acme/API" },
      sha: "A".repeat(40),
      ref: "refs/tags/v2.1.0",
      environment: "prod-eu",
      url: "https://api.acme.example/",
      logUrl: "https://ci.acme.example/1",
      actor: "dev",
      previousSha: "b".repeat(40),
      attempt: 2,
      occurredAt: "2026-11-21T11:00:00.500Z",
    })
    expect(state).toEqual({
      entity: "deployment:d-1",
      at: new Date("2026-11-21T11:00:00.500Z"),
      keepsLinks: true,
      fields: {
        status: "success",
        service: "api",
        repository: "acme/api",
        environment: "prod-eu",
        environmentKind: "production",
        sha: "a".repeat(40),
        ref: "refs/tags/v2.1.0",
        previousSha: "b".repeat(40),
        url: "https://api.acme.example/",
        logUrl: "https://ci.acme.example/1",
        attempt: 2,
        author: "dev",
      },
    })
  })

  test("and says nothing of what is not told", () => {
    expect(stateOf(least)).toEqual({
      entity: "deployment:d-1",
      at: receivedAt,
      keepsLinks: true,
      fields: { status: "in_progress" },
    })
  })

  test("and goes forward within a second, where its sender's clock tells no less", () => {
    const life = ["queued", "in_progress", "success", "inactive"].map(at)
    expect(life).toEqual(life.toSorted((a, b) => a - b))
    expect(new Set(life).size).toBe(life.length)
    expect(at("failure")).toBe(at("success"))
    expect(at("success")).toBeLessThan(at("rolled_back"))
  })

  test("which a body that tells of none does not", () => {
    expect(stateOf({ text: "hello" })).toBeUndefined()
  })
})

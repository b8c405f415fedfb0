import { emitterEventNames } from "@octokit/webhooks"
import { describe, expect, it } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import type { Identity, Message, Normalized } from "../../src/core/platform.ts"
import { catalogue } from "../../src/platforms/github/catalogue/index.ts"
import { github } from "../../src/platforms/github/index.ts"
import { testDatabase } from "../support/database.ts"
import { octokitExamples, type OctokitExample } from "../support/octokit-examples.ts"
import { insertDetail } from "./support/expectation.ts"
import { expectWellFormed } from "./support/well-formed.ts"

const database = await testDatabase()
const examples = octokitExamples()
const receivedAt = new Date("2026-11-21T12:00:00Z")

const verbs: Readonly<Record<string, string>> = {
  create: "created",
  delete: "deleted",
  fork: "forked",
  gollum: "edited",
  page_build: "built",
  ping: "received",
  public: "publicized",
  push: "pushed",
  repository_import: "imported",
  status: "updated",
  team_add: "added",
  workflow_dispatch: "dispatched",
}

function message(event: string, payload: unknown): Message {
  const headers = { "x-github-event": event, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" }
  return { headers, contentType: "application/json", payload, receivedAt }
}

function identityAs(event: string, payload: unknown): Identity | null {
  try {
    return github.identify(message(event, payload), Buffer.alloc(0))
  } catch (error) {
    if (error instanceof SignalboxError && error.code === "bad_request") return null
    throw error
  }
}

it("every event that octokit knows is in the catalogue, and no other", () => {
  const known = new Set(emitterEventNames.map((name) => name.replace(/\..*$/, "")))
  expect([...catalogue.keys()].toSorted()).toEqual([...known].toSorted())
})

it("there are 329 examples of 58 events", () => {
  expect(examples).toHaveLength(329)
  expect(new Set(examples.map(({ event }) => event)).size).toBe(58)
})

it("every example is taken under its own name, with its type and in a detail row that fits", async () => {
  for (const { event, payload } of examples) {
    const { action } = payload
    const identity = identityAs(event, payload)
    const verb = typeof action === "string" ? action.replaceAll("-", "_") : verbs[event]
    expect(identity?.type).toBe(`github.${event}.${verb}`)
    expect(identity?.name).toBe(typeof action === "string" ? `${event}:${action}` : event)

    const made = github.normalize(message(event, payload))
    expect(made.type).toBe(identity?.type)
    expectWellFormed(made, github)
    expect(made.detail).toMatchObject({ event_name: event, action: action ?? null })
    expect(await insertDetail(database.work, "github_events", made.detail ?? {})).toBe(1)
  }
})

// Their bodies hold nothing but who and where; passed off as another event they say nothing of it.
const featureless = new Set([
  "github_app_authorization",
  "organization",
  "public",
  "repository",
  "repository_import",
  "watch",
])

it("no example that holds anything of its own passes for another event", () => {
  const telling = examples.filter(({ event }) => !featureless.has(event))
  const passed = telling.flatMap(({ event, payload }) =>
    [...catalogue.keys()]
      .filter((other) => other !== event && identityAs(other, payload) !== null)
      .map((other) => `${event} as ${other}`),
  )
  expect(passed).toEqual([])
})

function normalized({ event, payload }: OctokitExample): Normalized {
  return github.normalize(message(event, payload))
}

function eventsWhere(holds: (example: OctokitExample) => boolean): string[] {
  return [...new Set(examples.filter(holds).map(({ event }) => event))].toSorted()
}

it("only what has nothing to be about has no key, and only what has no sender no actor", () => {
  expect(eventsWhere((example) => normalized(example).entity === null)).toEqual(["github_app_authorization"])
  expect(eventsWhere((example) => normalized(example).actor === null)).toEqual(["security_advisory"])
})

it("only what says no time of its own has that of its arrival", () => {
  const timeless = eventsWhere((example) => {
    return normalized(example).occurredAt === receivedAt && example.payload["action"] !== "deleted"
  })
  expect(timeless).toEqual([
    "github_app_authorization",
    "gollum",
    "label",
    "member",
    "membership",
    "org_block",
    "organization",
    "public",
    "repository_dispatch",
    "repository_import",
    "team",
    "team_add",
    "watch",
    "workflow_dispatch",
  ])
})

describe("reviews and comments", () => {
  it("are about their pull request", () => {
    const about = examples.filter(({ event }) => event.startsWith("pull_request"))
    expect(about.length).toBeGreaterThan(30)
    for (const { event, payload } of about) {
      expect(github.normalize(message(event, payload)).entity).toMatch(/^github:pull_request:[^#]+#\d+$/)
    }
  })
})

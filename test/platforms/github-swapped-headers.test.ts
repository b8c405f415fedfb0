import { expect, it } from "vitest"
import type { Message } from "../../src/core/platform.ts"
import { catalogue } from "../../src/platforms/github/catalogue/index.ts"
import { github } from "../../src/platforms/github/index.ts"
import { octokitExamples } from "../support/octokit-examples.ts"

const examples = octokitExamples()
const names = [...new Set([...catalogue.keys(), ...examples.map(({ event }) => event)])].toSorted()

function claimed(event: string, payload: unknown): Message {
  const headers = { "x-github-event": event, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" }
  return { headers, contentType: "application/json", payload, receivedAt: new Date("2026-11-21T12:00:00Z") }
}

function isTaken(event: string, payload: unknown, body: Buffer): boolean {
  try {
    return github.identify(claimed(event, payload), body).type.startsWith(`github.${event}.`)
  } catch {
    return false
  }
}

// The names of events are not signed. Of all pairs of GitHub's own examples and the names of events of
// another kind, there is none that the body does not tell apart.
it(`each of ${examples.length} examples is taken as the event it is, and as none of the ${names.length - 1} others`, () => {
  const taken: string[] = []
  for (const { event, payload, body } of examples) {
    expect(isTaken(event, payload, body), event).toBe(true)
    for (const other of names) {
      if (other !== event && isTaken(other, payload, body)) taken.push(`${event} as ${other}`)
    }
  }
  expect(names.length).toBeGreaterThanOrEqual(58)
  expect(taken).toEqual([])
})

it("an event that nobody knows yet proves nothing, and is taken as what it claims", () => {
  const [example] = examples
  if (example === undefined) throw new Error("there are no examples")
  expect(isTaken("event_of_tomorrow", example.payload, example.body)).toBe(true)
})

import { expect, it } from "vitest"
import { limitsStory } from "../../fixtures/correlation/story.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { timelineCommand } from "../../src/cli/commands/timeline.ts"
import { createRepository, takeIn, testWriter } from "../live/repository.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"

const { url, database } = await startTestHub()
const writer = testWriter(database)
const env = { SIGNALBOX_URL: url, SIGNALBOX_API_KEY: adminKey }
const run = async (...args: string[]) => (await runCommand(timelineCommand, args, env)).lines

const story = limitsStory()
const hostile = issueCreated({
  number: 666,
  title: "In \u001b[31mcolour",
  description: "Like ENG-7",
  createdAt: new Date(Date.UTC(2026, 10, 21)),
})
for (const request of [...story.requests, hostile]) await sendWebhook(url, request.platform, request)
await until(
  () => database.work.query<{ n: number }>("select count(*) as n from event_log"),
  ({ rows }) => rows[0]?.n === story.requests.length + 1,
)

it("prints what happened in its order, one line an event, with time, platform, type, title and actor", async () => {
  const lines = await run("ENG-123")
  expect(lines).toHaveLength(story.requests.length)
  expect(lines).toEqual(
    lines.toSorted((a, b) =>
      a.slice(0, 20) < b.slice(0, 20) ? -1 : a.slice(0, 20) > b.slice(0, 20) ? 1 : 0,
    ),
  )
  for (const line of lines) {
    expect(line).toMatch(
      /^2026-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}(github|linear|slack|deployment) +\1\.\w+\.\w+ {2}/,
    )
  }
  expect(lines.find((line) => line.includes("github.pull_request.opened"))).toMatch(
    /Limit the rate of requests {2}by dev$/,
  )
  expect(await run("acme/api#42")).toEqual(lines)
})

it("prints no more than it is asked for, and says that there is more", async () => {
  const all = await run("ENG-123")
  expect(await run("ENG-123", "--limit", "2")).toEqual([
    ...all.slice(0, 2),
    expect.stringMatching(/^and more: .*--limit/),
  ])
  expect(await run("ENG-123", "--limit", String(all.length))).toEqual(all)
  await expect(run("ENG-123", "--limit", "0")).rejects.toThrow("--limit takes a number above 0")
})

it("prints JSON, one event a line, without payloads", async () => {
  const { values } = await runJsonCommand(timelineCommand, ["ENG-123", "--limit", "3"], env)
  expect(values).toHaveLength(3)
  for (const event of values) {
    expect(event).toMatchObject({ id: expect.any(String), type: expect.any(String), via: expect.any(Array) })
    expect(event).not.toHaveProperty("payload")
  }
})

it("tells what was known at an earlier time", async () => {
  expect(await run("ENG-123", "--as-of", "2020-01-01")).toEqual([
    expect.stringMatching(/^it was not known at 2020-01-01T00:00:00Z: first heard of at 20\d\d-.*Z$/),
  ])
  expect(await run("ENG-7", "--as-of", new Date().toISOString())).toEqual([
    expect.stringMatching(/^no event on it was known then/),
  ])
  await expect(run("ENG-123", "--as-of", "yesterday")).rejects.toThrow(/--as-of must be a time such as/)
})

it("a title does nothing to the terminal", async () => {
  expect(await run("ENG-666")).toEqual([expect.stringContaining("In [31mcolour  by ")])
})

it("says what is not known, and what is only mentioned", async () => {
  await expect(run("ENG-999")).rejects.toMatchObject({ code: "not_found" })
  await expect(run()).rejects.toThrow("name a thing: timeline ENG-123")
  expect(await run("ENG-7")).toEqual([expect.stringMatching(/^no event on it is known/)])
})

it("goes on from page to page", async () => {
  const repository = createRepository("acme/busy")
  const pr = repository.open(1, "Busy")
  for (let n = 0; n < 510; n++) repository.close(pr)
  await takeIn(writer, repository.deliveries, "default")
  const lines = await run("acme/busy#1")
  expect(lines.length).toBeGreaterThan(510)
  expect(lines).toHaveLength(
    new Set((await runJsonCommand(timelineCommand, ["acme/busy#1"], env)).values.map(({ id }) => id)).size,
  )
})

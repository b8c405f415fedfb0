import { expect, it } from "vitest"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { statusCommand } from "../../src/cli/commands/status.ts"
import { createRepository, minute, takeIn, testWriter } from "../live/repository.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const { url, database, json } = await startTestHub()
const writer = testWriter(database)
const env = { SIGNALBOX_URL: url, SIGNALBOX_API_KEY: adminKey }

const repository = createRepository()
repository.deploy(1, repository.grow("main", "Begin for good"))
repository.squash(repository.open(42, "ENG-123: Limit requests"))
repository.squash(repository.open(43, 'Revert "ENG-123: Limit requests"', { body: "Reverts acme/api#42" }))
const beforeFailure = repository.deliveries.length
repository.deploy(2, repository.grow("main", "Go on"), { state: "failure" })
repository.deploy(3, repository.grow("main", "Go on and on"), { state: "in_progress" })
const other = createRepository("acme/docs")
other.squash(other.open(5, "Say more"))
await takeIn(writer, [...repository.deliveries, ...other.deliveries], "default")
/** When our clock had taken in so many deliveries. */
const taken = (deliveries: number) => new Date(Date.UTC(2026, 10, 22) + (deliveries - 1) * 1000)

const linesOf = async (...args: string[]) => (await runCommand(statusCommand, args, env)).lines

it("a pull request that was reverted is told as such", async () => {
  expect(await linesOf("acme/api#42")).toEqual([
    "github:pull_request:acme/api#42  ENG-123: Limit requests",
    "reverted by acme/api#43, not live in production",
    expect.stringMatching(/^ {2}not in production of acme\/api: /),
    "  github:pull_request:acme/api#42: merged, reverted by acme/api#43",
  ])
})

it("a deployment that failed, or is on its way, is said to have failed, or to be so", async () => {
  expect(await linesOf("deployment:github/2")).toContain("  not in production of acme/api: it failed")
  expect(await linesOf("deployment:github/3")).toContain("  not in production of acme/api: it is in progress")
})

it("what no deployment concerns is not known to be deployed anywhere", async () => {
  expect(await linesOf("acme/docs#5")).toContain("merged, not known to be deployed anywhere")
})

it("of what nothing but mentions tells, it says so and names them", async () => {
  const path = "/api/v1/entities/linear:issue:ENG-123/status"
  const [mentioned, reverter] = ["github:pull_request:acme/api#42", "github:pull_request:acme/api#43"]
  expect((await json(path)).body).toMatchObject({
    state: null,
    onlyMentionedBy: expect.arrayContaining([mentioned]),
  })
  expect((await linesOf("ENG-123")).at(-1)).toMatch(
    /^ {2}known only because acme\/api#42\b.* mentions? it: no event of its own has been heard$/,
  )
  expect((await json(`${path}?asOf=${taken(beforeFailure).toISOString()}`)).body).toHaveProperty(
    "onlyMentionedBy",
  )
  for (const key of [mentioned, reverter, "deployment:github/1"]) {
    expect((await json(`/api/v1/entities/${encodeURIComponent(key)}/status`)).body).not.toHaveProperty(
      "onlyMentionedBy",
    )
  }

  const { number, title } = { number: 200, title: "Once it is told of itself" }
  const created = issueCreated({ number, title, description: "", createdAt: new Date(minute(0)) })
  const talk = createRepository("acme/talk")
  talk.open(1, "ENG-200: Before its tracker tells of it")
  await takeIn(writer, talk.deliveries, "default")
  expect((await linesOf("ENG-200")).at(-1)).toMatch(/^ {2}known only because acme\/talk#1\b/)
  await sendWebhook(url, "linear", created)
  await until(
    () => linesOf("ENG-200"),
    (lines) => lines[0]?.includes(title) === true,
  )
  expect((await linesOf("ENG-200")).join()).not.toContain("known only")
})

it("and so it does where the event that mentions it is about nothing", async () => {
  const sent = await fetch(`${url}/api/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({ type: "ops.note.made", references: [{ entity: "linear:issue:ENG-300" }] }),
  })
  expect(sent.status).toBe(202)
  const { body } = await until(
    () => json("/api/v1/entities/linear:issue:ENG-300/status"),
    ({ status }) => status === 200,
  )
  expect(body).toMatchObject({ onlyMentionedBy: [] })
  expect((await linesOf("ENG-300")).at(-1)).toBe(
    "  known only because an event mentions it: no event of its own has been heard",
  )
})

it("of two things that an event of one's own ties, neither is said to mention the other", async () => {
  const [issue, ticket] = ["linear:issue:OPS-9", "jira:ticket:X-1"]
  const sent = await fetch(`${url}/api/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      type: "pager.incident.opened",
      entity: "pager:incident:7",
      references: [{ subject: issue, entity: ticket, relation: "implements" }],
    }),
  })
  expect(sent.status).toBe(202)
  for (const key of [issue, ticket]) {
    const { body } = await until(
      () => json(`/api/v1/entities/${key}/status`),
      ({ status }) => status === 200,
    )
    expect(body).toMatchObject({ onlyMentionedBy: ["pager:incident:7"] })
    expect((await linesOf(key)).at(-1)).toMatch(/^ {2}known only because pager:incident:7 mentions it/)
  }
})

it("of what was not known by then, it says so, and since when it is", async () => {
  const early = taken(3).toISOString() // production was deployed once
  const first = minute(0).replace(/T.*/, "") // a date will do, too
  for (const asOf of [early, first]) {
    const [, summary, ...rest] = await linesOf("acme/api#42", "--as-of", asOf)
    expect(summary).toMatch(/^it was not known at 2026-11-2\dT.*Z: first heard of at 2026-11-22T00:00:\d\dZ$/)
    expect(rest).toEqual([])
  }
  const heard = (await json(`/api/v1/entities/github:pull_request:acme%2Fapi%2342/status?asOf=${early}`)).body
  const at = heard.firstHeardAt
  expect(heard).toMatchObject({ state: null, live: [], pending: [], pullRequests: [] })
  expect(await linesOf("acme/api#42", "--as-of", at)).toContain("open, not live in production")
  expect((await linesOf("deployment:github/2", "--as-of", taken(beforeFailure).toISOString()))[1]).toMatch(
    /^it was not known at .*: first heard of at /,
  )
  await expect(linesOf("acme/api#9", "--as-of", early)).rejects.toThrow("nothing is known of")
})

it.each([
  "https://github.com/nobody/nothing/pull/1",
  "https://github.com/acme/api/pull/99999",
  "github:pull_request:acme/zzz#99",
  "github:pull_request:acme/zzz",
])("of %s, of which nobody has heard, nothing is known", async (name) => {
  await expect(linesOf(name)).rejects.toThrow(/^nothing is known of github:pull_request:/)
  await expect(linesOf(name, "--as-of", "2020-01-01")).rejects.toThrow("nothing is known of")
})

it("a time that is none is refused with what would do", async () => {
  await expect(linesOf("acme/api#42", "--as-of", "yesterday")).rejects.toThrow(
    "--as-of must be a time such as 2026-11-01T00:00:00Z, or a date such as 2026-11-01",
  )
})

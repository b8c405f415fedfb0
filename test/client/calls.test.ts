import { expect, expectTypeOf, it } from "vitest"
import { limitsStory } from "../../fixtures/correlation/story.ts"
import { createClient, isEvent, type ClientEvent } from "../../src/client/index.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"

const { url } = await startTestHub()
const client = createClient({ url: `${url}/`, key: adminKey })
const story = limitsStory()
for (const request of story.requests) await sendWebhook(url, request.platform, request)

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

await until(
  () => collect(client.events()),
  (events) => events.length === story.requests.length && events.every(({ position }) => position !== null),
)

it("the history comes page by page, and goes on from any cursor", async () => {
  const all = await collect(client.events({ order: "oldest" }))
  expect(all).toHaveLength(story.requests.length)
  expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => index + 1))
  expect((await collect(client.events({ pageSize: 3 }))).map(({ id }) => id)).toEqual(
    all.map(({ id }) => id).toReversed(),
  )
  const pages = await collect(client.events({ order: "oldest", pageSize: 3 }).pages())
  expect(pages.flatMap(({ events }) => events)).toEqual(all)
  const cursor = pages[0]?.nextCursor ?? ""
  expect(await collect(client.events({ order: "oldest", cursor }))).toEqual(all.slice(3))
  expect(await client.event(all[0]?.id ?? "")).toEqual(all[0])
})

it("a filter narrows the history, a time bounds it", async () => {
  const github = await collect(
    client.events({ platforms: "github", filter: { types: "github.pull_request.*" } }),
  )
  expect(github.length).toBeGreaterThan(0)
  expect(new Set(github.map(({ type }) => type.split(".", 2).join(".")))).toEqual(
    new Set(["github.pull_request"]),
  )
  expect(await collect(client.events({ until: new Date(0) }))).toEqual([])
})

it("an event is known by its platform and name, and its payload with it", async () => {
  const opened = (await collect(client.events())).filter((event) =>
    isEvent(event, "github", "pull_request:opened"),
  )
  expect(opened.map(({ payload }) => payload.pull_request.title)).toContain("Limit the rate of requests")
  const [first] = opened
  if (first === undefined) throw new Error("the story opens no pull request")
  const event: ClientEvent = first
  expect(isEvent(event, "github", "pull_request")).toBe(true)
  expect(isEvent(event, "github", "pull_request:*")).toBe(true)
  expect(isEvent(event, "github", "pull_request:closed")).toBe(false)
  expect(isEvent(event, "github", "push")).toBe(false)
  expect(isEvent(event, "linear", "Issue:update")).toBe(false)
  if (isEvent(event, "github", "pull_request:opened")) {
    expectTypeOf(event.payload.pull_request.title).toEqualTypeOf<string>()
    expectTypeOf(event.payload.action).toEqualTypeOf<"opened">()
  }
  // @ts-expect-error -- a typo in the action
  expect(isEvent(event, "github", "pull_request:openend")).toBe(false)
})

it("tells what belongs together, why, and how it stands", async () => {
  const issue = await client.find("ENG-123")
  expect(issue).toBe("linear:issue:ENG-123")
  const timeline = client.timeline(issue, { pageSize: 2, payload: false })
  const events = await collect(timeline)
  expect(events.length).toBeGreaterThan(3)
  expect(events.some(({ via }) => via.some(({ strength }) => strength === "strong"))).toBe(true)
  expect(events.every((event) => !("payload" in event))).toBe(true)
  const [page] = await collect(timeline.pages())
  expect(page).toMatchObject({ entity: issue, truncated: false })

  const links = await collect(client.links(issue, { pageSize: 1 }))
  expect(links.length).toBeGreaterThan(1)
  const pullRequest = events.find(({ entity }) => entity?.startsWith("github:pull_request:"))?.entity ?? ""
  const explanation = await client.explain(pullRequest, issue)
  expect(explanation).toMatchObject({ from: pullRequest, to: issue, verdict: "linked" })

  const status = await client.status(issue)
  expect(status.entity).toBe(issue)
  expect(status.live.length).toBeGreaterThan(0)
  expectTypeOf(status.live[0]!.since).toEqualTypeOf<string>()
  const early = await client.status(issue, { asOf: new Date("2020-01-01T00:00:00Z") })
  expect(early.live).toEqual([])
})

it("an event submitted twice under one key is one event", async () => {
  const event = { type: "review.reminder.due", title: "Review it", payload: { n: 1 } }
  const first = await client.submit(event, { idempotencyKey: "reminder-1" })
  const again = await client.submit(event, { idempotencyKey: "reminder-1" })
  expect([first.duplicate, again]).toEqual([false, { eventId: first.eventId, duplicate: true }])
  await expect(
    client.submit({ ...event, title: "Another" }, { idempotencyKey: "reminder-1" }),
  ).rejects.toMatchObject({ code: "conflict", status: 409 })
  const deployment = await client.submitDeployment({
    id: "1001",
    provider: "by-hand",
    environment: "production",
    status: "success",
  })
  expect(deployment.duplicate).toBe(false)
})

it("an error says what the hub said", async () => {
  await expect(client.status("linear:issue:ENG-999")).rejects.toMatchObject({
    name: "SignalboxClientError",
    code: "not_found",
    status: 404,
    message: "nothing is known of linear:issue:ENG-999",
    retryable: false,
  })
  await expect(client.submit({ type: "x" })).rejects.toMatchObject({ code: "bad_request", status: 400 })
  const away = createClient({ url: "http://127.0.0.1:9", key: "k" })
  await expect(away.streams()).rejects.toMatchObject({
    code: "unreachable",
    status: 0,
    retryable: true,
    message: expect.stringContaining("no hub answers at http://127.0.0.1:9"),
  })
  await expect(client.streams({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" })
})

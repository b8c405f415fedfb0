import { expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import type { HandlerEvent } from "../../src/handlers/handler.ts"
import { deliveriesOf } from "../consumers/log.ts"
import { logEvents } from "../support/events.ts"
import { loadFixtures } from "../support/fixtures.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"

const { hub, url, database, json } = await startTestHub()
const retry = { initialMs: 10, maxMs: 20 }

const named = (
  platform: "github" | "linear" | "slack" | "deployment" | "custom",
  name: string,
  type: string,
) => ({ platform, name, type })

function notify(): void {}

const opened = (number: number) => ({
  platform: "github" as const,
  type: "github.pull_request.opened",
  name: "pull_request:opened",
  entity: `github:pull_request:acme/api#${number}`,
  payload: { action: "opened", number, pull_request: { title: `Change ${number}` } },
})

test("a webhook reaches its handler, parsed and with its envelope, and the answer is kept", async () => {
  const seen: HandlerEvent[] = []
  const handler = hub.github.event("pull_request:opened", function greet(event, context) {
    seen.push(event)
    expect(context).toMatchObject({ attempt: 1, handler: "github/pull_request:opened/greet" })
    return { title: event.payload.pull_request.title }
  })
  await handler.ready
  const fixture = loadFixtures("github").find(({ shape }) => shape === "pull-request-opened")
  if (fixture === undefined) throw new Error("the fixture is gone")
  const body = fixture.request.body.toString()
  const response = await sendWebhook(url, "github", { headers: fixture.request.headers, body })
  expect(response.status).toBe(202)
  const rows = await until(
    () => deliveriesOf(database, handler.name),
    ([row]) => row?.status === "delivered",
  )
  expect(seen).toHaveLength(1)
  expect(seen[0]).toMatchObject({
    platform: "github",
    name: "pull_request:opened",
    payload: JSON.parse(body),
  })
  expect(seen[0]?.raw.toString()).toBe(body)
  expect(rows[0]?.result).toEqual({ title: expect.any(String) })
  await handler.remove()
})

test("a handler gets the events of its name and of no other", async () => {
  const got: Record<string, string[]> = {}
  const note = (key: string) => (event: HandlerEvent) =>
    void (got[key] ??= []).push(`${event.platform} ${event.name}`)
  const registered = [
    hub.github.event("pull_request:opened", note("one action")),
    hub.github.event("pull_request", note("every action")),
    hub.github.event("pull_request:*", note("starred")),
    hub.github.event("push", note("without actions")),
    hub.linear.event("Issue:update", note("linear")),
    hub.slack.event("app_mention", note("slack")),
    hub.slack.event("/deploy", note("command")),
    hub.deployment.event("production:success", note("deployment")),
    hub.custom.event("billing.invoice.paid", note("custom")),
    hub.on("deployment.*", note("by type")),
    hub.on("*.*.opened", note("across platforms")),
  ]
  await Promise.all(registered.map(({ ready }) => ready))
  await logEvents(database.work, [
    named("github", "pull_request:opened", "github.pull_request.opened"),
    named("github", "pull_request:closed", "github.pull_request.closed"),
    named("github", "pull_request_review:submitted", "github.pull_request_review.submitted"),
    named("github", "push", "github.push.pushed"),
    named("linear", "Issue:update", "linear.issue.update"),
    named("linear", "Issue:create", "linear.issue.create"),
    named("slack", "app_mention", "slack.app_mention.received"),
    named("slack", "/deploy", "slack.command.invoked"),
    named("deployment", "production:success", "deployment.production.success"),
    named("deployment", "staging:failure", "deployment.staging.failure"),
    named("custom", "billing.invoice.paid", "billing.invoice.paid"),
    named("custom", "pull_request:opened", "shop.pull_request.opened"), // not GitHub's
  ])
  const expected = {
    "one action": ["github pull_request:opened"],
    "every action": ["github pull_request:opened", "github pull_request:closed"],
    starred: ["github pull_request:opened", "github pull_request:closed"],
    "without actions": ["github push"],
    linear: ["linear Issue:update"],
    slack: ["slack app_mention"],
    command: ["slack /deploy"],
    deployment: ["deployment production:success"],
    custom: ["custom billing.invoice.paid"],
    "by type": ["deployment production:success", "deployment staging:failure"],
    "across platforms": ["github pull_request:opened", "custom pull_request:opened"],
  }
  const count = Object.values(expected).flat().length
  await until(
    async () => Object.values(got).flat().length,
    (seen) => seen >= count,
  )
  for (const list of [...Object.values(got), ...Object.values(expected)]) list.sort()
  expect(got).toEqual(expected)
  await Promise.all(registered.map(({ remove }) => remove()))
})

test("each handler of an event has its own state: one fails and is tried again, the others are not", async () => {
  let failures = 0
  let others = 0
  const failing = hub.github.event(
    "pull_request:opened",
    () => {
      if (++failures < 3) throw new Error("not yet")
      return "at last"
    },
    { name: "state/failing", retry },
  )
  const sync = hub.github.event("pull_request:opened", () => ++others, { name: "state/sync" })
  const slow = hub.github.event(
    "pull_request:opened",
    async ({ payload }) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return payload.pull_request.title
    },
    { name: "state/async" },
  )
  await Promise.all([failing, sync, slow].map(({ ready }) => ready))
  await logEvents(database.work, [opened(1)])
  const of = async (name: string) =>
    (await deliveriesOf(database, name)).map(({ status, attempts, result }) => ({ status, attempts, result }))
  await until(
    () => of("state/failing"),
    ([row]) => row?.status === "delivered",
  )
  await until(
    () => of("state/async"),
    ([row]) => row?.status === "delivered",
  )
  expect(await of("state/failing")).toEqual([{ status: "delivered", attempts: 3, result: "at last" }])
  expect(await of("state/sync")).toEqual([{ status: "delivered", attempts: 1, result: 1 }])
  expect(await of("state/async")).toEqual([{ status: "delivered", attempts: 1, result: "Change 1" }])
  await Promise.all([failing, sync, slow].map(({ remove }) => remove()))
})

test("what a handler does to its payload is not seen by another, nor by its own next attempt", async () => {
  const titles: string[] = []
  const spoil = (event: HandlerEvent<{ pull_request: { title: string } }>) => {
    titles.push(event.payload.pull_request.title)
    event.payload.pull_request.title = "spoiled"
    if (titles.length < 3) throw new Error("again")
  }
  const first = hub.github.event("pull_request:opened", spoil, { name: "spoil/one", retry })
  const second = hub.github.event("pull_request:opened", spoil, { name: "spoil/two", retry })
  await Promise.all([first.ready, second.ready])
  await logEvents(database.work, [opened(2)])
  await until(
    () => deliveriesOf(database, "spoil/one"),
    ([row]) => row?.status === "delivered",
  )
  await until(
    () => deliveriesOf(database, "spoil/two"),
    ([row]) => row?.status === "delivered",
  )
  expect(new Set(titles)).toEqual(new Set(["Change 2"]))
  await Promise.all([first.remove(), second.remove()])
})

test("a body that cannot be read is a dead letter at once, of the handlers that wanted it", async () => {
  const handler = hub.on("odd.*", () => "read", { name: "odd" })
  await handler.ready
  const [event] = await logEvents(database.work, [
    { type: "odd.one", payload: "{not json" },
    { type: "odd.two", payload: {} },
  ])
  const rows = await until(
    () => deliveriesOf(database, "odd"),
    (found) => found.length === 2 && found.every(({ status }) => status !== "running"),
  )
  expect(rows.map(({ status }) => status).toSorted()).toEqual(["dead", "delivered"])
  const { body } = await json("/api/v1/dead-letters?kind=handler")
  expect(body.deadLetters).toContainEqual(
    expect.objectContaining({ eventId: event?.id, errorCode: "malformed_json", kind: "handler" }),
  )
  await handler.remove()
})

test("a dead letter is retried over the API, for its handler alone", async () => {
  let mended = false
  let others = 0
  const failing = hub.on(
    "mend.*",
    () => {
      if (!mended) throw new Error("broken")
    },
    { name: "mend/failing", retry: { attempts: 1 } },
  )
  const other = hub.on("mend.*", () => void others++, { name: "mend/other" })
  await Promise.all([failing.ready, other.ready])
  const [event] = await logEvents(database.work, [{ type: "mend.it", payload: {} }])
  await until(
    () => deliveriesOf(database, "mend/failing"),
    ([row]) => row?.status === "dead",
  )
  mended = true
  const { body } = await json("/api/v1/dead-letters?kind=handler")
  const letter = body.deadLetters.find((one: { eventId: string }) => one.eventId === event?.id)
  expect((await json(`/api/v1/dead-letters/${letter.id}/retry`, { method: "POST" })).status).toBe(202)
  await until(
    () => deliveriesOf(database, "mend/failing"),
    ([row]) => row?.status === "delivered",
  )
  expect(others).toBe(1)
  await Promise.all([failing.remove(), other.remove()])
})

test("a handler submits an event caused by its own, once however often it is run", async () => {
  let attempts = 0
  const handler = hub.on(
    "ask.*",
    async (event, { submit }) => {
      const { eventId } = await submit({ type: "answer.given", payload: { to: event.id } })
      if (++attempts < 3) throw new Error("after the submission")
      return eventId
    },
    { name: "submits", retry },
  )
  const answers: HandlerEvent[] = []
  const listener = hub.custom.event("answer.given", (event) => void answers.push(event), { name: "listens" })
  await Promise.all([handler.ready, listener.ready])
  const { eventId } = await hub.submitCustomEvent({ type: "ask.something", correlationId: "conversation-1" })
  const rows = await until(
    () => deliveriesOf(database, "submits"),
    ([row]) => row?.status === "delivered",
  )
  await until(
    () => deliveriesOf(database, "listens"),
    ([row]) => row?.status === "delivered",
  )
  expect(attempts).toBe(3)
  expect(answers).toHaveLength(1)
  expect(answers[0]).toMatchObject({
    id: rows[0]?.result,
    causationId: eventId,
    correlationId: "conversation-1",
    tenant: "default",
    payload: { payload: { to: eventId } },
  })
  await Promise.all([handler.remove(), listener.remove()])
})

test("handlers that answer each other are stopped after sixteen rounds", async () => {
  const depths: number[] = []
  const handler = hub.on(
    "round.*",
    async (event, { submit }) => {
      const { round } = (event.payload as { payload: { round: number } }).payload
      depths.push(round)
      await submit({ type: "round.next", payload: { round: round + 1 } })
    },
    { name: "loops", retry },
  )
  await handler.ready
  await hub.submitCustomEvent({ type: "round.first", payload: { round: 0 } })
  const rows = await until(
    () => deliveriesOf(database, "loops"),
    (found) => found.some(({ status }) => status === "dead"),
    30_000,
  )
  expect(depths).toEqual(Array.from({ length: 17 }, (_, round) => round))
  expect(rows.at(-1)).toMatchObject({
    status: "dead",
    attempts: 1,
    last_error: expect.stringContaining("loop"),
  })
  await handler.remove()
}, 40_000)

test("names are made of what is there, numbered where they repeat, and no two are the same", async () => {
  const made = [
    hub.github.event("push", notify),
    hub.github.event("push", notify),
    hub.github.event("push", () => {}),
    hub.on("github.push.*", notify),
    hub.github.event("push", () => {}, { name: "my own" }),
  ]
  expect(made.map(({ name }) => name)).toEqual([
    "github/push/notify",
    "github/push/notify#2",
    "github/push",
    "on/github.push.*/notify",
    "my own",
  ])
  expect(() => hub.on("a.*", notify, { name: "my own" })).toThrow(/two handlers named "my own"/)
  expect(() => hub.on("a.*", notify, { name: "github/push/notify" })).toThrow(/two handlers/)
  expect(() => hub.on("a.*", notify, { name: "" })).toThrow(/1 to 200 characters/)
  expect(() => hub.on("not a pattern", notify)).toThrow(/types/)
  await Promise.all(made.map(({ remove }) => remove()))
  const again = hub.github.event("push", notify)
  expect(again.name).toBe("github/push/notify")
  await again.remove()
})

test("what is registered before the start runs from the start on, in a process that has the role", async () => {
  const options = { databaseUrl: database.url, port: 0, host: "127.0.0.1", adminKey, log: silentLog, env: {} }
  const workers = createHub({ ...options, roles: ["worker"] })
  const readers = createHub({ ...options, roles: ["api"] })
  const ran: string[] = []
  const name = "early"
  const registered = workers.on("early.*", () => void ran.push("worker"), { name })
  readers.on("early.*", () => void ran.push("reader"), { name })
  try {
    await readers.start()
    await workers.start()
    await registered.ready
    await logEvents(database.work, [{ type: "early.bird", payload: {} }])
    await until(
      () => deliveriesOf(database, name),
      ([row]) => row?.status === "delivered",
    )
    expect(ran).toEqual(["worker"])
  } finally {
    await Promise.all([workers.stop(), readers.stop()])
  }
})

import { expect, test } from "vitest"
import { createHub } from "../../src/hub.ts"
import { silentLog } from "../../src/core/log.ts"
import { deliveriesOf } from "../consumers/log.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"

const { hub, database } = await startTestHub()

const pull = (action: string, repository = "acme/api") => ({
  platform: "github" as const,
  type: `github.pull_request.${action}`,
  name: `pull_request:${action}`,
  payload: { action, repository: { full_name: repository } },
})

test("a callback gets its stream's events that pass its filter, in order, parsed", async () => {
  const seen: string[] = []
  const subscription = hub.subscribe(
    "pr_events",
    (event) => void seen.push(`${event.name} ${JSON.stringify(event.payload)}`),
    {
      filter: { where: { "payload.repository.full_name": { $eq: "acme/api" } } },
    },
  )
  await subscription.ready
  await logEvents(database.work, [
    pull("opened"),
    pull("opened", "acme/web"),
    { platform: "linear", type: "linear.issue.update", payload: {} },
    pull("closed"),
  ])
  await until(
    async () => seen.length,
    (count) => count === 2,
  )
  expect(seen.map((line) => line.split(" ", 1)[0])).toEqual(["pull_request:opened", "pull_request:closed"])
  await subscription.unsubscribe()
  await logEvents(database.work, [pull("reopened")])
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(seen).toHaveLength(2)
})

test("a named callback goes on where it was, and fails, retries and dies as a handler does", async () => {
  const seen: string[] = []
  const callback = (event: { id: string }) => void seen.push(event.id)
  const first = hub.subscribe("all_events", callback, { name: "durable", filter: { types: "durable.*" } })
  await first.ready
  const [one] = await logEvents(database.work, [{ type: "durable.one", payload: {} }])
  await until(
    async () => seen.length,
    (count) => count === 1,
  )
  await first.unsubscribe()
  const [two] = await logEvents(database.work, [{ type: "durable.two", payload: {} }])
  const second = hub.subscribe("all_events", callback, { name: "durable", filter: { types: "durable.*" } })
  await until(
    async () => seen.length,
    (count) => count === 2,
  )
  expect(seen).toEqual([one?.id, two?.id])
  await second.unsubscribe()

  const failing = hub.subscribe("all_events", () => Promise.reject(new Error("no")), {
    name: "failing",
    filter: { types: "durable.*" },
    retry: { attempts: 2, initialMs: 1 },
  })
  await failing.ready
  const [three] = await logEvents(database.work, [{ type: "durable.three", payload: {} }])
  await until(
    () => deliveriesOf(database, "failing"),
    ([row]) => row?.status === "dead",
  )
  const { rows } = await database.work.query("select kind, attempts from dead_letters where event_id = $1", [
    three?.id,
  ])
  expect(rows).toEqual([{ kind: "callback", attempts: 2 }])
  await failing.unsubscribe()
})

test("a callback without a name may begin at the earliest event, and outlives its own failures", async () => {
  await logEvents(database.work, [
    { type: "early.one", payload: {} },
    { type: "early.two", payload: {} },
  ])
  const seen: string[] = []
  const subscription = hub.subscribe(
    "all_events",
    (event) => {
      seen.push(event.type)
      throw new Error("this one is not kept")
    },
    { from: "earliest", filter: { types: "early.*" } },
  )
  await until(
    async () => seen.length,
    (count) => count === 2,
  )
  expect(seen).toEqual(["early.one", "early.two"])
  await subscription.unsubscribe()
  const { rows } = await database.work.query(
    "select name from stream_subscriptions where name like 'subscription/%'",
  )
  expect(rows).toEqual([])
})

test("a stream that is not there, and a filter that makes no sense, are refused", async () => {
  expect(() => hub.subscribe("all_events", () => {}, { filter: { typos: ["a.b"] } })).toThrow(
    /unknown key typos/,
  )
  await expect(hub.subscribe("no_such_stream", () => {}).ready).rejects.toThrow(/no stream "no_such_stream"/)
  const other = createHub({ databaseUrl: database.url, port: 0, adminKey, log: silentLog, env: {} })
  other.subscribe("no_such_stream", () => {})
  await expect(other.start()).rejects.toThrow(/no stream "no_such_stream"/)
})

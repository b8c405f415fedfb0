import { expect, test } from "vitest"
import { createKey } from "../../src/auth/keys.ts"
import { deliveriesOf } from "../consumers/log.ts"
import { startReceiver } from "../delivery/receiver.ts"
import { logEvents, type EventSpec } from "../support/events.ts"
import { startTestHub, until } from "../support/hub.ts"
import { testKeyText } from "../support/sources.ts"
import { Webhook } from "standardwebhooks"

const { hub, database, json } = await startTestHub({
  env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1), SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8" },
})

interface Run {
  type: string
  entity: string | null
  replay: boolean
  replayId: string | null
  attempt: number
}
const runs: Run[] = []
let failing = (_type: string) => false
hub.on(
  "handled.**",
  ({ type, entity }, { replay, replayId, attempt }) => {
    runs.push({ type, entity, replay, replayId, attempt })
    if (failing(type)) throw new Error("not now")
  },
  { name: "handler", from: "earliest", retry: { attempts: 2, initialMs: 10 } },
)
hub.github.event(
  "push",
  ({ type, entity }, { replay, replayId, attempt }) => {
    runs.push({ type, entity, replay, replayId, attempt })
  },
  { name: "pushes" },
)

const post = (path: string, body?: object, key?: string) =>
  json(path, {
    method: "POST",
    ...(key === undefined ? {} : { key }),
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  })
const happen = async (...specs: EventSpec[]) => (await logEvents(database.work, specs)).map(({ id }) => id)
const replay = async (body: object) => {
  const made = await post("/api/v1/replays", body)
  expect(made).toMatchObject({ status: 201 })
  return made.body
}
const shown = async (id: string) => (await json(`/api/v1/replays/${id}`)).body
const completed = (id: string) =>
  until(
    () => shown(id),
    ({ status }) => status === "completed",
    30_000,
  )

let made = 0
async function subscription(settings: object = {}, answer?: Parameters<typeof startReceiver>[0]) {
  const receiver = await startReceiver(answer)
  const name = `hook-${++made}`
  const type = `${name.replace("-", "")}.it.happened`
  const created = await post("/api/v1/subscriptions", {
    name,
    url: receiver.url,
    filter: { types: [type] },
    ...settings,
  })
  expect(created.status).toBe(201)
  return { name, type, receiver, id: created.body.id as string, secret: created.body.secret as string }
}
/** Waits until so many events have come to their end at a consumer: what has not is left to come by itself. */
const settled = (name: string, count: number) =>
  until(
    () => deliveriesOf(database, name),
    (rows) => rows.length === count && rows.every(({ status }) => !["running", "retrying"].includes(status)),
  )

test("a webhook gets the events of the past again, marked in header and body, signed, under an id of their own", async () => {
  const { name, type, receiver, secret } = await subscription()
  const ids = await happen({ type, title: "one" }, { type: "other.it.happened" }, { type, title: "two" })
  await settled(name, 2)
  const { id: replayId, ...rest } = await replay({ to: name })
  expect(rest).toMatchObject({
    consumer: { name, kind: "webhook" },
    estimate: 2,
    estimateExact: true,
    gap: null,
  })
  expect(await completed(replayId)).toMatchObject({
    matched: 2,
    delivered: 2,
    failed: 0,
    underWay: 0,
    outstanding: 0,
  })
  const [first, second, ...again] = receiver.received
  for (const live of [first, second]) {
    expect(live?.headers["signalbox-replay"]).toBeUndefined()
    expect(live?.json).not.toHaveProperty("replay")
  }
  expect(again.map((request) => request.json.title)).toEqual(["one", "two"])
  for (const [index, { headers, body, json: event }] of again.entries()) {
    const eventId = index === 0 ? ids[0] : ids[2]
    expect(headers["signalbox-replay"]).toBe(replayId)
    expect(headers["webhook-id"]).toBe(`${eventId}_${replayId}`)
    expect(event).toMatchObject({ id: eventId, replay: true })
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ replay: true })
  }
  const { body: delivery } = await json(`/api/v1/subscriptions/${name}/deliveries/${ids[0]}`)
  expect(delivery).toMatchObject({ status: "delivered", attempts: 2, replayId })
  expect(delivery.attemptsMade.map((attempt: { replayId: string | null }) => attempt.replayId)).toEqual([
    null,
    replayId,
  ])
})

test("the mark is in every shape of body", async () => {
  const type = `shapes.it.happened`
  const filter = { types: [type] }
  const cloud = await subscription({ filter, format: "cloudevents" })
  const head = await subscription({ filter, payload: "head" })
  const picked = await subscription({ filter, payload: { pick: ["id", "payload"] } })
  await happen({ type, payload: { n: 1 } })
  for (const { name, receiver } of [cloud, head, picked]) {
    await settled(name, 1)
    await completed((await replay({ to: name })).id)
    expect(receiver.received).toHaveLength(2)
  }
  expect(cloud.receiver.received[0]?.json).not.toHaveProperty("signalboxreplay")
  expect(cloud.receiver.received[1]?.json).toMatchObject({ signalboxreplay: true, data: { replay: true } })
  expect(head.receiver.received[1]?.json).toMatchObject({ replay: true, type })
  expect(picked.receiver.received[1]?.json).toEqual({
    id: expect.any(String),
    replay: true,
    payload: { n: 1 },
  })
})

test("a subscription that is new gets what happened before it was made", async () => {
  const type = "before.it.happened"
  const ids = await happen({ type }, { type }, { type })
  const { receiver, id } = await subscription({ filter: { types: [type] } })
  expect(await completed((await replay({ to: id })).id)).toMatchObject({ matched: 3, delivered: 3 })
  expect(receiver.received.map((request) => request.json.id)).toEqual(ids)
})

test("a handler is told that it is a replay, attempt by attempt, and what uses them up is a dead letter", async () => {
  const entity = "acme:thing:replayed"
  await happen({ type: "handled.good", entity }, { type: "handled.bad", entity })
  await settled("handler", 2)
  failing = (type) => type === "handled.bad"
  const { id } = await replay({ to: "handler", filter: { entities: [entity] } })
  expect(await completed(id)).toMatchObject({ matched: 2, delivered: 1, failed: 1 })
  failing = () => false
  const seen = runs.filter((run) => run.entity === entity).slice(2)
  expect(seen).toEqual([
    { type: "handled.good", entity, replay: true, replayId: id, attempt: 1 },
    { type: "handled.bad", entity, replay: true, replayId: id, attempt: 1 },
    { type: "handled.bad", entity, replay: true, replayId: id, attempt: 2 },
  ])
  const { body } = await json("/api/v1/dead-letters?kind=handler")
  const [letter] = body.deadLetters
  expect(letter).toMatchObject({ attempts: 2, error: expect.stringContaining("not now") })
  expect((await post(`/api/v1/dead-letters/${letter.id}/retry`)).status).toBe(202)
  // Tried again by hand it is the replay's still, so that its mark is on it.
  const retried = await until(
    async () => runs.filter((run) => run.entity === entity).slice(5),
    (found) => found.length === 1,
  )
  expect(retried).toMatchObject([{ type: "handled.bad", replay: true, replayId: id }])
})

test("a handler of a platform's events gets those of its names alone", async () => {
  const entity = "acme:thing:named"
  const base = { platform: "github" as const, entity }
  await happen(
    { ...base, type: "github.push.pushed", name: "push" },
    { ...base, type: "github.issues.opened", name: "issues:opened" },
  )
  await settled("pushes", 1)
  const { id } = await replay({ to: "pushes", filter: { entities: [entity] } })
  expect(await completed(id)).toMatchObject({ matched: 1, delivered: 1, skipped: 0 })
  expect(runs.filter((run) => run.entity === entity)).toMatchObject([{ replay: false }, { replay: true }])
})

test("events are chosen by type, time, position, timeline, correlation and any filter, all of which must hold", async () => {
  const { name, receiver } = await subscription({ filter: { types: ["chosen.**"] } })
  const specs: EventSpec[] = [
    { type: "chosen.a", entity: "acme:thing:1", correlationId: "c-1", payload: { n: 1 } },
    { type: "chosen.b", entity: "acme:thing:2", correlationId: "c-1", payload: { n: 2 } },
    { type: "chosen.a", entity: "acme:thing:2", correlationId: "c-2", payload: { n: 3 } },
    { type: "chosen.c.d", entity: "acme:thing:3", correlationId: "c-3", payload: { n: 4 } },
  ]
  const ids: string[] = []
  for (const spec of specs) {
    ids.push(...(await happen(spec)))
    await new Promise((resolve) => setTimeout(resolve, 15)) // so that their times differ
  }
  await database.work.query(
    `insert into event_correlations (tenant, from_entity, to_entity, relation, rule, event_id, rule_version,
       strength, confidence, evidence, occurred_at, known_from)
     values ('default', 'acme:thing:1', 'acme:thing:3', 'implements', 'test', $1, 1, 'strong', 1, '{}', now(), now())`,
    [ids[0]],
  )
  await settled(name, 4)
  const { rows } = await database.work.query<{ position: number; at: Date }>(
    `select l.position, e.received_at as at from event_log l join events e on e.id = l.event_id
     where l.event_id = any($1::uuid[]) order by 1`,
    [ids],
  )
  const of = async (choice: object) => {
    const before = receiver.received.length
    const { id: replayId } = await replay({ to: name, ...choice })
    await completed(replayId)
    return receiver.received
      .slice(before)
      .map((request) => (request.json as { payload: { n: number } }).payload.n)
      .toSorted((a, b) => a - b)
  }
  expect(await of({ filter: { types: ["chosen.a"] } })).toEqual([1, 3])
  expect(await of({ filter: { types: ["chosen.c.*"] } })).toEqual([4])
  expect(await of({ filter: { where: { "payload.n": { $gt: 2 } } } })).toEqual([3, 4])
  expect(await of({ filter: { types: ["chosen.a"], where: { "payload.n": { $gt: 2 } } } })).toEqual([3])
  expect(await of({ after: rows[0]?.position, upTo: rows[2]?.position })).toEqual([2, 3])
  expect(await of({ correlationId: "c-1" })).toEqual([1, 2])
  expect(await of({ entity: "acme:thing:2" })).toEqual([2, 3])
  expect(await of({ entity: "acme:thing:3" })).toEqual([1, 4])
  const since = new Date(Number.parseInt((ids[1] ?? "").replaceAll("-", "").slice(0, 12), 16)).toISOString()
  const till = new Date(Number.parseInt((ids[3] ?? "").replaceAll("-", "").slice(0, 12), 16)).toISOString()
  expect(await of({ since, until: till })).toEqual([2, 3])
  expect(await of({ since, filter: { types: ["chosen.a"] }, correlationId: "c-2" })).toEqual([3])
})

test("what a paused subscription skipped is replayed, and only that where it is asked for", async () => {
  const { name, type, receiver } = await subscription()
  await happen({ type, title: "live" })
  await settled(name, 1)
  await post(`/api/v1/subscriptions/${name}/pause`, { skip: true })
  await until(
    async () => {
      await happen({ type, title: "missed" })
      return (await json(`/api/v1/subscriptions/${name}/deliveries?status=skipped`)).body.deliveries
    },
    (deliveries) => deliveries.length > 1,
  )
  await post(`/api/v1/subscriptions/${name}/resume`)
  const before = receiver.received.length
  const { id: replayId } = await replay({ to: name, deliveries: ["skipped"] })
  const { matched, delivered } = await completed(replayId)
  expect(delivered).toBe(matched)
  const titles = receiver.received.slice(before).map((request) => request.json.title)
  expect(titles.length).toBeGreaterThan(1)
  expect(new Set(titles)).toEqual(new Set(["missed"]))
  expect((await json(`/api/v1/subscriptions/${name}/deliveries?status=skipped`)).body.deliveries).toEqual([])
})

test("a dry run counts, and hands on nothing", async () => {
  const { name, type, receiver } = await subscription()
  await happen({ type, payload: { n: 1 } }, { type, payload: { n: 2 } })
  await settled(name, 2)
  const ask = async (body: object) =>
    (await post("/api/v1/replays", { to: name, dryRun: true, ...body })).body
  expect(await ask({})).toMatchObject({ events: 2, exact: true, consumer: { name } })
  expect(await ask({ filter: { where: { "payload.n": 1 } } })).toMatchObject({ events: 2, exact: false })
  const { body } = await json("/api/v1/replays")
  expect(body.replays.filter((one: { consumer: { name: string } }) => one.consumer.name === name)).toEqual([])
  expect(receiver.received).toHaveLength(2)
})

test("tenants have replays of their own, and reach no consumer and no event of another's", async () => {
  const { key } = await createKey(database.work, { tenant: "other", name: "t", scopes: ["admin"] })
  const { name, type, receiver, id } = await subscription()
  await happen({ type, title: "ours" }, { type, tenant: "other", title: "theirs" })
  await settled(name, 1)
  const { id: replayId } = await replay({ to: name })
  expect(await completed(replayId)).toMatchObject({ matched: 1 })
  expect(receiver.received.map((request) => request.json.title)).toEqual(["ours", "ours"])
  for (const to of [name, id, "handler"]) {
    expect(await post("/api/v1/replays", { to }, key)).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    })
  }
  expect((await json("/api/v1/replays", { key })).body).toEqual({ replays: [], nextCursor: null })
  expect((await json(`/api/v1/replays/${replayId}`, { key })).status).toBe(404)
  expect((await json(`/api/v1/replays/${replayId}`, { key, method: "DELETE" })).status).toBe(404)
  const reader = await createKey(database.work, { tenant: "default", name: "r", scopes: ["events:read"] })
  expect((await json("/api/v1/replays", { key: reader.key })).status).toBe(403)
})

test("bad requests are told what is wrong with them", async () => {
  const { name } = await subscription()
  expect(await post("/api/v1/replays", { to: "nobody" })).toMatchObject({ status: 404 })
  expect(await post("/api/v1/replays", { to: name, types: ["a.b"] })).toMatchObject({ status: 400 })
  expect(await post("/api/v1/replays", { to: name, filter: { type: "a.b" } })).toMatchObject({ status: 400 })
  expect(await post("/api/v1/replays", { to: name, entity: "ENG-123" })).toMatchObject({ status: 400 })
  expect(await post("/api/v1/replays", { to: name, ratePerSecond: 0 })).toMatchObject({ status: 400 })
  expect(await post("/api/v1/replays", {})).toMatchObject({ status: 400 })
  expect((await json("/api/v1/replays/none")).status).toBe(404)
})

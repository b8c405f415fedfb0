import { expect, test } from "vitest"
import { Webhook } from "standardwebhooks"
import { startTestHub, until } from "../support/hub.ts"
import { logEvents, type EventSpec } from "../support/events.ts"
import { testKeyText } from "../support/sources.ts"
import { startReceiver } from "./receiver.ts"

const { hub, database, json } = await startTestHub({
  env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1), SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8" },
})
const path = "/api/v1/subscriptions"

function send(
  method: string,
  at: string,
  body?: object,
  { tenant = "default", ...who }: { key?: string; tenant?: string } = {},
) {
  const headers = { "content-type": "application/json", "x-signalbox-tenant": tenant }
  return json(path + at, { method, headers, ...who, ...(body ? { body: JSON.stringify(body) } : {}) })
}

async function happen(...specs: EventSpec[]): Promise<string[]> {
  return (await logEvents(database.work, specs)).map(({ id }) => id)
}

/** What has become of a subscription's deliveries, the oldest first. */
async function deliveries(
  id: string,
  query = "",
): Promise<{ eventId: string; status: string; attempts: number }[]> {
  return (await json(`${path}/${id}/deliveries${query}`)).body.deliveries.toReversed()
}

const allAre = (status: string, count: number) => (rows: { status: string }[]) =>
  rows.length === count && rows.every((row) => row.status === status)

let made = 0
const fresh = (url: string, settings: object = {}) =>
  send("POST", "", { name: `hook-${++made}`, url, filter: { types: [`t${made}.*`] }, ...settings })

test("what matches is sent signed as Standard Webhooks has it, and every attempt can be read", async () => {
  const receiver = await startReceiver((_request, response) => void response.writeHead(202).end("thank you"))
  const { status, body: made1 } = await fresh(receiver.url)
  expect(status).toBe(201)
  expect(made1).toMatchObject({
    status: "active",
    format: "standard",
    concurrency: 16,
    retry: { schedule: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] },
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
  })
  const type = `t${made}.thing.happened`
  const ids = await happen(
    { type, payload: { big: 1, token: "ghp_abcdefghijklmnopqrstuvwxyz0123456789" }, entity: "acme:thing:1" },
    { type: "other.thing.happened" },
    { type, entity: "acme:thing:2" },
  )
  await until(() => deliveries(made1.id), allAre("delivered", 2))
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([ids[0], ids[2]])
  for (const { body, headers } of receiver.received) {
    expect(new Webhook(made1.secret).verify(body, headers)).toMatchObject({ type, id: headers["webhook-id"] })
  }
  expect(receiver.received[0]?.json.payload).toEqual({ big: 1, token: "[masked]" })

  const { body: delivery } = await json(`${path}/${made1.name}/deliveries/${ids[0]}`)
  expect(delivery).toMatchObject({ eventId: ids[0], type, status: "delivered", attempts: 1 })
  expect(delivery.attemptsMade).toEqual([
    {
      attempt: 1,
      sentAt: expect.any(String),
      statusCode: 202,
      durationMs: expect.any(Number),
      response: "thank you",
      error: null,
      secretIds: [expect.any(String)],
      replayId: null,
    },
  ])
  const shown = await json(`${path}/${made1.id}`)
  expect(JSON.stringify(shown.body)).not.toContain("whsec_")
})

test("CloudEvents in structured mode carry the same event, and a shape sends less of it", async () => {
  const receiver = await startReceiver()
  const { body: whole } = await fresh(receiver.url, { format: "cloudevents" })
  const type = `t${made}.thing.happened`
  const { body: picked } = await send("POST", "", {
    name: "picked",
    url: `${receiver.url}/picked`,
    filter: { types: [type] },
    payload: { pick: ["type", "payload"] },
  })
  const { body: head } = await send("POST", "", {
    name: "head",
    url: `${receiver.url}/head`,
    filter: { types: [type] },
    payload: "head",
  })
  const [id] = await happen({ type, entity: "acme:thing:1", payload: '{"n": 12345678901234567890}' })
  for (const one of [whole, picked, head]) await until(() => deliveries(one.id), allAre("delivered", 1))
  const got = (suffix: string) => receiver.received.find((request) => request.path === `/hook${suffix}`)
  expect(got("")?.headers["content-type"]).toBe("application/cloudevents+json")
  expect(got("")?.json).toMatchObject({
    specversion: "1.0",
    id,
    type,
    source: "/signalbox/default/custom/test",
    subject: "acme:thing:1",
    datacontenttype: "application/json",
    data: { id, type, entity: "acme:thing:1" },
  })
  expect(got("/picked")?.body).toBe(`{"type":"${type}","payload":{"n": 12345678901234567890}}`)
  expect(got("/head")?.json).not.toHaveProperty("payload")
  expect(got("/head")?.json).toMatchObject({ id, type })
})

test("after a rotation both secrets sign until the overlap is over", async () => {
  const receiver = await startReceiver()
  const { body: subscription } = await fresh(receiver.url)
  const { status, body: rotated } = await send("POST", `/${subscription.id}/rotate-secret`, {
    overlapHours: 1,
  })
  expect(status).toBe(200)
  expect(rotated.secret).not.toBe(subscription.secret)
  const { body: result } = await send("POST", `/${subscription.id}/test`)
  expect(result).toMatchObject({ delivered: true, statusCode: 204, error: null })
  const [request] = receiver.received
  expect(request?.json.type).toBe("signalbox.subscription.test")
  for (const secret of [subscription.secret, rotated.secret]) {
    expect(new Webhook(secret).verify(request?.body ?? "", request?.headers ?? {})).toMatchObject({
      id: result.eventId,
    })
  }
  const { body: alone } = await send("POST", `/${subscription.id}/rotate-secret`, { overlapHours: 0 })
  await send("POST", `/${subscription.id}/test`)
  const last = receiver.received.at(-1)
  expect(last?.headers["webhook-signature"]).not.toContain(" ")
  expect(new Webhook(alone.secret).verify(last?.body ?? "", last?.headers ?? {})).toBeTruthy()
})

test("a paused subscription waits in the log, or records what it skips; both can be made up for", async () => {
  const receiver = await startReceiver()
  const { body: subscription } = await fresh(receiver.url)
  const type = `t${made}.thing.happened`
  const { id } = subscription
  expect((await send("POST", `/${id}/pause`)).body).toMatchObject({ status: "paused", skips: false })
  const [waiting] = await happen({ type })
  expect((await send("POST", `/${id}/resume`)).body).toMatchObject({ status: "active" })
  await until(() => deliveries(id), allAre("delivered", 1))

  expect((await send("POST", `/${id}/pause`, { skip: true })).body).toMatchObject({
    status: "paused",
    skips: true,
  })
  const skipped = await until(
    async () => {
      await happen({ type })
      return deliveries(id, "?status=skipped")
    },
    (rows) => rows.length >= 3,
  )
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).not.toContain(skipped[0]?.eventId)
  await send("POST", `/${id}/resume`)
  const one = skipped[0]?.eventId
  expect((await send("POST", `/${id}/retry`, { eventId: one })).body).toEqual({ retried: 1 })
  await until(
    () => deliveries(id, "?status=delivered"),
    (rows) => rows.some(({ eventId }) => eventId === one),
  )
  const left = await deliveries(id, "?status=skipped")
  expect((await send("POST", `/${id}/retry`, { status: ["skipped"] })).body).toEqual({ retried: left.length })
  await until(
    () => deliveries(id, "?status=skipped"),
    (rows) => rows.length === 0,
  )
  await until(
    () => deliveries(id),
    (rows) => rows.every(({ status }) => status === "delivered"),
  )
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toContain(waiting)
})

test("what failed to the end is a dead letter, which the subscription can try anew", async () => {
  let answer = 500
  const receiver = await startReceiver(() => answer)
  const { body: subscription } = await fresh(receiver.url, { retry: { schedule: [0, 0] } })
  const type = `t${made}.thing.happened`
  const [id] = await happen({ type })
  const [dead] = await until(() => deliveries(subscription.id), allAre("dead", 1))
  expect(dead).toMatchObject({ eventId: id, attempts: 3, lastError: "the receiver answered 500" })
  const { body: letters } = await json("/api/v1/dead-letters?kind=webhook")
  expect(letters.deadLetters).toContainEqual(
    expect.objectContaining({ eventId: id, kind: "webhook", errorCode: "status_500" }),
  )
  answer = 204
  expect((await send("POST", `/${subscription.id}/retry`, { status: ["dead"] })).body).toEqual({ retried: 1 })
  await until(() => deliveries(subscription.id), allAre("delivered", 1))
  const { body: history } = await json(`${path}/${subscription.id}/deliveries/${id}`)
  expect(history.attemptsMade.map(({ statusCode }: { statusCode: number }) => statusCode)).toEqual([
    500, 500, 500, 204,
  ])
  expect((await json("/api/v1/dead-letters?kind=webhook")).body.deadLetters).toEqual([])
  const again = await send("POST", `/${subscription.id}/retry`, { eventId: id })
  expect(again).toMatchObject({ status: 409, body: { code: "conflict" } })
})

test("410 disables it at once with an event that says so, and a resume delivers what waited", async () => {
  let answer = 410
  const receiver = await startReceiver(() => answer)
  const alerts: object[] = []
  hub.on("signalbox.subscription.disabled", (event) => void alerts.push(event.payload as object))
  const { body: subscription } = await fresh(receiver.url)
  const type = `t${made}.thing.happened`
  await happen({ type })
  const off = await until(
    async () => (await json(`${path}/${subscription.id}`)).body,
    ({ status }) => status === "disabled",
  )
  expect(off.disabled).toEqual({ reason: "the receiver answered 410", at: expect.any(String) })
  await until(
    async () => alerts,
    (seen) => seen.length === 1,
  )
  expect(alerts[0]).toMatchObject({
    payload: {
      subscription: { id: subscription.id, name: subscription.name },
      reason: "the receiver answered 410",
    },
  })
  await happen({ type })
  answer = 204
  await send("POST", `/${subscription.id}/resume`)
  await until(() => deliveries(subscription.id), allAre("delivered", 2))
  expect((await json(`${path}/${subscription.id}`)).body).toMatchObject({ status: "active", disabled: null })
})

test("a change reaches the process that sends", async () => {
  const [first, second] = [await startReceiver(), await startReceiver()]
  const { body: subscription } = await fresh(first.url)
  const type = `t${made}.thing.happened`
  await happen({ type })
  await until(() => deliveries(subscription.id), allAre("delivered", 1))
  const changed = await send("PATCH", `/${subscription.name}`, {
    url: second.url,
    ordered: true,
    partitions: 3,
  })
  expect(changed).toMatchObject({ status: 200, body: { url: second.url, ordered: true, partitions: 3 } })
  await until(
    async () => {
      await happen({ type })
      return second.received.length
    },
    (count) => count > 0,
  )
  expect(await send("DELETE", `/${subscription.id}`)).toMatchObject({ status: 204 })
  expect(await json(`${path}/${subscription.id}`)).toMatchObject({ status: 404 })
  const { rows } = await database.work.query("select from webhook_secrets where subscription_id = $1", [
    subscription.id,
  ])
  expect(rows).toEqual([])
})

test("what cannot be is refused with a word on why, and names are taken once a tenant", async () => {
  const url = "https://example.com/hook"
  const bad = async (body: object) => (await send("POST", "", { name: "bad", url, ...body })).body
  expect(await bad({ url: "http://169.254.169.254/" })).toMatchObject({ status: 400, code: "bad_request" })
  expect(await bad({ filter: { nope: 1 } })).toMatchObject({
    status: 400,
    detail: expect.stringContaining("nope"),
  })
  expect(await bad({ stream: "nowhere" })).toMatchObject({
    status: 400,
    detail: expect.stringContaining("nowhere"),
  })
  expect(await bad({ surprise: 1 })).toMatchObject({
    status: 400,
    detail: expect.stringContaining("surprise"),
  })
  expect(await bad({ payload: { pick: ["raw"] } })).toMatchObject({ status: 400 })
  expect(await bad({ concurrency: 1_000 })).toMatchObject({ status: 400 })
  expect(await send("POST", "", { name: "taken", url })).toMatchObject({ status: 201 })
  expect(await send("POST", "", { name: "taken", url })).toMatchObject({ status: 409 })
  const other = { tenant: "other" }
  expect(await send("POST", "", { name: "taken", url }, other)).toMatchObject({ status: 201 })
  expect((await send("GET", "", undefined, other)).body.subscriptions).toHaveLength(1)
  const { body: theirs } = await send("GET", "/taken", undefined, other)
  for (const at of ["", "/deliveries"]) {
    expect(await send("GET", `/${theirs.id}${at}`)).toMatchObject({ status: 404 })
  }
  for (const action of ["pause", "resume", "test", "rotate-secret"]) {
    expect(await send("POST", `/${theirs.id}/${action}`)).toMatchObject({ status: 404 })
  }
  const { body: key } = await json("/api/v1/keys", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "reader", scopes: ["events:read"] }),
  })
  expect(await send("GET", "", undefined, { key: key.key })).toMatchObject({ status: 403 })
})

import { expect, test } from "vitest"
import { logEvents } from "../support/events.ts"
import { startTestHub } from "../support/hub.ts"

const hub = await startTestHub()

async function keyWith(limits: object): Promise<{ id: string; key: string }> {
  const scopes = ["events:read", "streams:read"]
  const body = JSON.stringify({ name: "limited", scopes, ...limits })
  const made = await hub.json("/api/v1/keys", { method: "POST", body })
  expect([made.status, made.body]).toMatchObject([201, limits])
  return made.body
}

async function statuses(path: string, key: string, times: number): Promise<number[]> {
  const answers: number[] = []
  for (let n = 0; n < times; n++) {
    const response = await hub.request(path, { key })
    await response.body?.cancel()
    answers.push(response.status)
  }
  return answers
}

test("a key that asks too often is told when to come back, over every route; others are not", async () => {
  const { key } = await keyWith({ requestsPerSecond: 0.001 }) // one, and the next after a quarter of an hour
  const { key: other } = await keyWith({})
  expect(await statuses("/api/v1/events", key, 1)).toEqual([200])
  for (const path of ["/api/v1/events", "/api/v1/streams", "/api/v1/events/stream", "/api/v1/metrics"]) {
    const response = await hub.request(path, { key })
    expect(response.status).toBe(429)
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0)
    expect(response.headers.get("content-type")).toBe("application/problem+json")
    expect(await response.json()).toMatchObject({ status: 429, code: "too_many_requests" })
  }
  expect(await statuses("/api/v1/events", other, 5)).toEqual([200, 200, 200, 200, 200])
})

test("a page of history is taken off the events that a key may have, and a stream's token has the key's limits", async () => {
  await logEvents(
    hub.database.work,
    Array.from({ length: 30 }, () => ({})),
  )
  const { id, key } = await keyWith({ eventsPerSecond: 0.05 })
  expect(await statuses("/api/v1/events?limit=30", key, 2)).toEqual([200, 429])
  const { body } = await hub.json("/api/v1/streams/all_events/token", { method: "POST", body: "{}", key })
  const stream = await hub.request(`/api/v1/events/stream?after=0&token=${body.token}`, { key: "" })
  expect(stream.status).toBe(200)
  const { connections } = (await hub.json("/api/v1/connections")).body
  expect(connections).toMatchObject([{ keyId: id, events: 0, catchingUp: true }])
  await stream.body?.cancel()
})

test("limits are changed and taken off, and nonsense is refused", async () => {
  const { id, key } = await keyWith({ requestsPerSecond: 0.001 })
  const patch = async (body: object) =>
    hub.json(`/api/v1/keys/${id}`, { method: "PATCH", body: JSON.stringify(body) })
  expect(await statuses("/api/v1/events", key, 2)).toEqual([200, 429])
  expect(await patch({ requestsPerSecond: null, eventsPerSecond: 100 })).toMatchObject({
    status: 200,
    body: { id, requestsPerSecond: null, eventsPerSecond: 100 },
  })
  await expect.poll(async () => (await statuses("/api/v1/events", key, 1))[0], { timeout: 20_000 }).toBe(200)
  for (const bad of [{}, { requestsPerSecond: 0 }, { eventsPerSecond: -1 }, { perSecond: 3 }]) {
    expect((await patch(bad)).status).toBe(400)
  }
  const path = "/api/v1/keys/019f0000-0000-7000-8000-000000000000"
  const body = JSON.stringify({ requestsPerSecond: 1 })
  expect((await hub.request(path, { method: "PATCH", body })).status).toBe(404)
})

import { once } from "node:events"
import { expect, it } from "vitest"
import { WebSocket } from "ws"
import { startTestHub } from "../support/hub.ts"

const hub = await startTestHub()

const post = (path: string, body: object, key?: string) =>
  hub.json(path, { method: "POST", body: JSON.stringify(body), ...(key === undefined ? {} : { key }) })

async function keyWith(scopes: string[]): Promise<{ id: string; key: string }> {
  const { status, body } = await post("/api/v1/keys", { name: "test", scopes })
  expect(status).toBe(201)
  return body
}

it("a stream is made, found, used, changed and removed while the hub runs", async () => {
  const filter = { types: ["custom.deploys.*"] }
  const made = await post("/api/v1/streams", { name: "deploys_eu", filter })
  const settings = { routes: null, retention: null, partitions: null }
  expect([made.status, made.body]).toEqual([201, { name: "deploys_eu", filter, ...settings, builtIn: false }])
  expect((await post("/api/v1/streams", { name: "deploys_eu", filter })).status).toBe(409)
  expect((await hub.json("/api/v1/streams")).body.streams).toContainEqual(made.body)

  const stream = await hub.request("/api/v1/streams/deploys_eu/sse")
  expect(stream.status).toBe(200)
  await stream.body?.cancel()

  const changed = await hub.json("/api/v1/streams/deploys_eu", {
    method: "PATCH",
    body: JSON.stringify({ filter: { platforms: "github" } }),
  })
  expect([changed.status, changed.body.filter]).toEqual([200, { platforms: ["github"] }])
  expect((await hub.json("/api/v1/streams/deploys_eu")).body.filter).toEqual({ platforms: ["github"] })

  expect((await hub.request("/api/v1/streams/deploys_eu", { method: "DELETE" })).status).toBe(204)
  expect((await hub.request("/api/v1/streams/deploys_eu", { method: "DELETE" })).status).toBe(404)
})

it("a stream has segments, routes, a retention and a number of partitions, each changed by itself", async () => {
  const routes = [{ types: ["deployment.**"] }, { platforms: ["github"], priority: ["high"] }]
  const wanted = { name: "deploys.eu.prod-1", routes, retention: "48h", partitions: 12 }
  const made = await post("/api/v1/streams", wanted)
  const shown = { ...wanted, filter: {}, retention: "2d", builtIn: false }
  expect([made.status, made.body]).toEqual([201, shown])
  const path = "/api/v1/streams/deploys.eu.prod-1"
  const patch = async (body: object) => hub.json(path, { method: "PATCH", body: JSON.stringify(body) })
  expect((await patch({ partitions: null, retention: "90m" })).body).toEqual({
    ...shown,
    partitions: null,
    retention: "90m",
  })
  expect((await patch({ routes: null, filter: { platforms: "github" } })).body).toMatchObject({
    routes: null,
    filter: { platforms: ["github"] },
    retention: "90m",
  })
  expect((await patch({})).status).toBe(400)
  expect((await patch({ routes: [] })).status).toBe(400)
  expect((await patch({ routes: [{ typs: [] }] })).body.detail).toContain("typs")
  expect((await patch({ retention: "2 days" })).body.detail).toContain("retention: must be a duration")
  expect((await hub.request(path, { method: "DELETE" })).status).toBe(204)
})

it.each([
  [{ name: "Deploys", filter: {} }, "name: must be"],
  [{ name: "deploys..eu", filter: {} }, "name: must be"],
  [{ name: "deploys.*", filter: {} }, "name: must be"],
  [{ name: "x".repeat(201), filter: {} }, "name: must be"],
  [{ name: "x", filter: { typs: [] } }, "typs"],
  [{ name: "x" }, "filter"],
])("not with %o", async (body, words) => {
  const answer = await post("/api/v1/streams", body)
  expect(answer.status).toBe(400)
  expect(answer.body.detail).toContain(words)
})

it("built-in streams stay as they are, and so does one that somebody stands on", async () => {
  expect((await post("/api/v1/streams", { name: "all_events", filter: {} })).status).toBe(409)
  for (const method of ["PATCH", "DELETE"]) {
    const answer = await hub.json("/api/v1/streams/all_events", {
      method,
      ...(method === "PATCH" ? { body: JSON.stringify({ filter: {} }) } : {}),
    })
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining("built in")])
  }
  await post("/api/v1/streams", { name: "used", filter: {} })
  await hub.database.work.query(
    "insert into stream_subscriptions (tenant, name, kind, stream) values ('default', 'watcher', 'callback', 'used')",
  )
  const answer = await hub.json("/api/v1/streams/used", { method: "DELETE" })
  expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining("watcher")])
})

it("who may read may not make streams", async () => {
  const { key } = await keyWith(["events:read", "streams:read"])
  expect((await post("/api/v1/streams", { name: "mine", filter: {} }, key)).status).toBe(403)
  expect((await hub.json("/api/v1/streams", { key })).status).toBe(200)
})

it("a token opens its stream once, without a key", async () => {
  const { key } = await keyWith(["streams:read"])
  const { status, body } = await post("/api/v1/streams/pr_events/token", {}, key)
  expect(status).toBe(201)
  const { token, expiresAt } = body
  expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now())
  const path = `/api/v1/streams/pr_events/sse?token=${token}`
  expect((await hub.request(path.replace("pr_events", "all_events"), { key: "" })).status).toBe(401)
  const stream = await hub.request(path, { key: "" })
  expect(stream.status).toBe(200)
  await stream.body?.cancel()
  expect((await hub.request(path, { key: "" })).status).toBe(401)
})

it("a token opens a WebSocket, and /events/stream as all_events", async () => {
  const first = await post("/api/v1/streams/all_events/token", {})
  const address = hub.url.replace("http", "ws")
  const websocket = new WebSocket(`${address}/api/v1/streams/all_events/ws?token=${first.body.token}`)
  const [message] = (await once(websocket, "message")) as [Buffer]
  expect(JSON.parse(message.toString())).toMatchObject({ kind: "open" })
  websocket.terminate()
  const second = await post("/api/v1/streams/all_events/token", {})
  const stream = await hub.request(`/api/v1/events/stream?token=${second.body.token}`, { key: "" })
  expect(stream.status).toBe(200)
  await stream.body?.cancel()
})

it("a token ends with its time and with the key that it came from, and is nowhere in clear", async () => {
  const { id, key } = await keyWith(["streams:read"])
  const late = await post("/api/v1/streams/all_events/token", { seconds: 1 }, key)
  const orphan = await post("/api/v1/streams/all_events/token", {}, key)
  const { rows } = await hub.database.work.query<{ text: string }>(
    "select t::text as text from stream_tokens t",
  )
  expect(JSON.stringify(rows)).not.toContain(orphan.body.token)
  await hub.database.work.query(
    "update stream_tokens set expires_at = now() - interval '1 s' where expires_at < now() + interval '5 s'",
  )
  expect((await hub.request(`/api/v1/events/stream?token=${late.body.token}`, { key: "" })).status).toBe(401)
  await hub.request(`/api/v1/keys/${id}`, { method: "DELETE" })
  expect((await hub.request(`/api/v1/events/stream?token=${orphan.body.token}`, { key: "" })).status).toBe(
    401,
  )
  expect((await post("/api/v1/streams/nosuch/token", {})).status).toBe(404)
  expect((await post("/api/v1/streams/all_events/token", { seconds: 3_000 })).status).toBe(400)
  const { key: reader } = await keyWith(["events:read"])
  expect((await post("/api/v1/streams/all_events/token", {}, reader)).status).toBe(403)
})

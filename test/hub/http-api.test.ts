import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { startTestHub, until, type TestHub } from "../support/hub.ts"

const hub = await startTestHub()

async function submit(event: object, init: { key?: string; headers?: Record<string, string> } = {}) {
  return hub.json("/api/v1/events", {
    method: "POST",
    body: JSON.stringify(event),
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  })
}

async function keyWith(scopes: string[], tenant = "default"): Promise<string> {
  const { body } = await hub.json("/api/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: scopes.join("+"), scopes, tenant }),
  })
  return body.key
}

function historyOf(types: string, key?: string): ReturnType<TestHub["json"]> {
  return hub.json(`/api/v1/events?types=${types}`, key === undefined ? {} : { key })
}

describe("keys", () => {
  it("a request without a key, or with an unknown one, is told how to authenticate", async () => {
    for (const key of ["", "sb_nonsense"]) {
      const response = await hub.request("/api/v1/events", { key })
      expect(response.status).toBe(401)
      expect(response.headers.get("www-authenticate")).toBe("Bearer")
      expect(await response.json()).toMatchObject({ code: "unauthenticated", status: 401 })
    }
  })

  it.each([
    ["events:read", "GET", "/api/v1/events", 200],
    ["events:read", "GET", "/api/v1/keys", 403],
    ["events:read", "POST", "/api/v1/events", 403],
    ["events:read", "GET", "/api/v1/events/stream", 403],
    ["events:read", "GET", "/api/v1/streams/all_events/ws", 403],
    ["streams:read", "GET", "/api/v1/streams/all_events/ws", 426],
    ["events:read", "GET", "/api/v1/events/00000000-0000-7000-8000-000000000000/raw", 403],
    ["events:write", "GET", "/api/v1/events", 403],
    ["events:write", "GET", "/api/v1/entities/linear%3Aissue%3AENG-1/links", 403],
    ["streams:read", "GET", "/api/v1/dead-letters", 403],
    ["streams:read", "GET", "/api/v1/metrics", 403],
    ["admin", "GET", "/api/v1/dead-letters", 200],
  ])("a key with %s gets %s %s: %i", async (scope, method, path, status) => {
    const key = await keyWith([scope])
    const response = await hub.request(path, { method, key, ...(method === "POST" ? { body: "{}" } : {}) })
    expect(response.status).toBe(status)
    await response.body?.cancel()
  })

  it("a WebSocket is opened by a key with streams:read, and by no other", async () => {
    const address = `${hub.url.replace("http", "ws")}/api/v1/streams/all_events/ws`
    const stranger = new WebSocket(address)
    const [, refusal] = (await once(stranger, "unexpected-response")) as [unknown, { statusCode: number }]
    expect(refusal.statusCode).toBe(401)
    stranger.on("error", () => {})
    stranger.terminate()
    const known = new WebSocket(address, {
      headers: { authorization: `Bearer ${await keyWith(["streams:read"])}` },
    })
    const [first] = (await once(known, "message")) as [Buffer]
    expect(JSON.parse(first.toString())).toMatchObject({ kind: "open" })
    known.terminate()
  })

  it("a key is shown once, listed without its secret, and refused after it was revoked", async () => {
    const made = await hub.json("/api/v1/keys", {
      method: "POST",
      body: JSON.stringify({ name: "short-lived", scopes: ["events:read"] }),
    })
    expect(made.status).toBe(201)
    const { key, id } = made.body
    const listed = await hub.json("/api/v1/keys")
    expect(JSON.stringify(listed.body)).not.toContain(key)
    expect(listed.body.keys).toContainEqual(expect.objectContaining({ id, prefix: key.slice(0, 8) }))

    expect((await hub.request(`/api/v1/keys/${id}`, { method: "DELETE" })).status).toBe(204)
    expect((await hub.request("/api/v1/events", { key })).status).toBe(401)
    expect((await hub.request(`/api/v1/keys/${id}`, { method: "DELETE" })).status).toBe(404)
  })
})

describe("submitting", () => {
  it("the same Idempotency-Key is one event, with another body a conflict that is kept", async () => {
    const headers = { "idempotency-key": "order-1" }
    const first = await submit({ type: "order.shipped", payload: { n: 1 } }, { headers })
    expect(first).toMatchObject({ status: 202, body: { duplicate: false } })
    const second = await submit({ type: "order.shipped", payload: { n: 1 } }, { headers })
    expect(second).toEqual({ status: 202, body: { eventId: first.body.eventId, duplicate: true } })
    const third = await submit({ type: "order.shipped", payload: { n: 2 } }, { headers })
    expect(third).toMatchObject({ status: 409, body: { code: "conflict" } })
    const kept = await hub.database.work.query("select raw from event_conflicts where event_id = $1", [
      first.body.eventId,
    ])
    expect(kept.rows.map(({ raw }) => String(raw))).toEqual(['{"type":"order.shipped","payload":{"n":2}}'])
  })

  it("equal bodies without a key are two events", async () => {
    await submit({ type: "tick.tocked" })
    await submit({ type: "tick.tocked" })
    const { body } = await until(
      () => historyOf("tick.tocked"),
      (answer) => answer.body.events.length === 2,
    )
    expect(new Set(body.events.map(({ id }: { id: string }) => id)).size).toBe(2)
  })

  it.each([
    [{}, 400],
    [{ type: "Not A Type" }, 400],
    [{ type: "github.push.pushed" }, 400],
    ["[1", 400],
  ])("%j is refused in words", async (event, status) => {
    const response = await hub.request("/api/v1/events", {
      method: "POST",
      body: typeof event === "string" ? event : JSON.stringify(event),
      headers: { "content-type": "application/json" },
    })
    expect(response.status).toBe(status)
    expect(response.headers.get("content-type")).toBe("application/problem+json")
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/./) })
  })
})

const positionsOf = ({ events }: { events: { position: number }[] }) => events.map(({ position }) => position)

describe("history", () => {
  it("an event comes back as it was submitted, whole, alone, and to the byte", async () => {
    const text =
      '{"type":"build.finished",\n "title":"b\\u0000x", "payload":{"big":9007199254740993,"a":1,"a":2}}'
    const submitted = await hub.json("/api/v1/events", {
      method: "POST",
      body: text,
      headers: { "content-type": "application/json" },
    })
    const { eventId } = submitted.body
    await until(
      () => historyOf("build.*"),
      ({ body }) => body.events.length === 1,
    )
    const one = await hub.request(`/api/v1/events/${eventId}`)
    const shown = await one.text()
    expect(shown).toContain('"payload":{"type":"build.finished",')
    expect(shown).toContain('"big":9007199254740993,"a":1,"a":2')
    expect(JSON.parse(shown)).toMatchObject({ id: eventId, type: "build.finished", platform: "custom" })
    const raw = await hub.request(`/api/v1/events/${eventId}/raw`)
    expect(await raw.text()).toBe(text)
  })

  it("pages join without a hole or a repeat, in both orders", async () => {
    for (let n = 0; n < 25; n++) await submit({ type: "page.turned", payload: { n } })
    await until(
      () => historyOf("page.turned"),
      ({ body }) => body.events.length === 25,
    )
    const all: Record<string, number[]> = { newest: [], oldest: [] }
    for (const order of ["newest", "oldest"]) {
      let cursor: string | null = null
      do {
        const query: string = `types=page.*&limit=7&order=${order}${cursor === null ? "" : `&cursor=${cursor}`}`
        const { body } = await hub.json(`/api/v1/events/history?${query}`)
        all[order]?.push(...body.events.map((event: { position: number }) => event.position))
        cursor = body.nextCursor
      } while (cursor !== null)
    }
    expect(all["oldest"]).toHaveLength(25)
    expect(all["newest"]?.toReversed()).toEqual(all["oldest"])
    expect(new Set(all["oldest"]).size).toBe(25)
  })

  it.each(["", '&filter={"where":{"payload.payload.n":{"$gte":0}}}'])(
    "a page may begin some matches in, and its cursor goes on from there (%s)",
    async (filter) => {
      const pageOf = async (query: string) =>
        (await hub.json(`/api/v1/events?types=page.turned&order=oldest${filter}&${query}`)).body
      const all = positionsOf(await pageOf("limit=25"))
      const page = await pageOf("limit=7&offset=10")
      expect(positionsOf(page)).toEqual(all.slice(10, 17))
      const next = await pageOf(`limit=7&offset=10&cursor=${page.nextCursor}`)
      expect(positionsOf(next)).toEqual(all.slice(17, 24))
      expect(await pageOf("offset=25")).toEqual({ events: [], nextCursor: null })
      expect(await pageOf("offset=24")).toMatchObject({ events: [{ position: all[24] }], nextCursor: null })
    },
  )

  it.each([
    "offset=-1",
    "offset=10001",
    "offset=1&after=0",
    "limit=0",
    "limit=501",
    "cursor=nonsense",
    "tpyes=a.b",
    "since=yesterday",
    "filter=%7B%22x%22%3A1%7D",
  ])("?%s is a 400 that says what is wrong", async (query) => {
    const { status, body } = await hub.json(`/api/v1/events?${query}`)
    expect(status).toBe(400)
    expect(body.code).toBe("bad_request")
  })
})

describe("tenants", () => {
  it("no tenant sees another's events, by id, by history, by entity or on a stream", async () => {
    const writer = await keyWith(["events:write"], "acme")
    const reader = await keyWith(["events:read", "events:raw"], "acme")
    const stranger = await keyWith(["events:read", "events:raw"], "other")
    const event = { type: "secret.told", entity: "custom:thing:s1", payload: {} }
    const { body } = await submit(event, { key: writer })
    await until(
      () => historyOf("secret.told", reader),
      (answer) => answer.body.events.length === 1,
    )

    expect((await hub.json(`/api/v1/events/${body.eventId}`, { key: reader })).status).toBe(200)
    expect((await hub.json(`/api/v1/events/${body.eventId}`, { key: stranger })).status).toBe(404)
    expect((await hub.json(`/api/v1/events/${body.eventId}/raw`, { key: stranger })).status).toBe(404)
    expect((await historyOf("secret.told", stranger)).body.events).toEqual([])
    const timeline = `/api/v1/entities/${encodeURIComponent("custom:thing:s1")}/timeline`
    expect((await hub.json(timeline, { key: reader })).status).toBe(200)
    expect((await hub.json(timeline, { key: stranger })).status).toBe(404)
    const metrics = await hub.json("/api/v1/metrics", { key: stranger })
    expect(metrics.body.metrics).toEqual([])
  })
})

it("what does not exist is a problem, not a page", async () => {
  const { status, body } = await hub.json("/nowhere")
  expect(status).toBe(404)
  expect(body).toMatchObject({ type: "urn:signalbox:problem:not_found", status: 404 })
})

it("built-in streams are listed", async () => {
  const { body } = await hub.json("/api/v1/streams")
  expect(body.streams.map(({ name }: { name: string }) => name).toSorted()).toEqual([
    "all_events",
    "deployment_events",
    "github_events",
    "high_priority",
    "issue_events",
    "linear_events",
    "pr_events",
    "slack_events",
  ])
})

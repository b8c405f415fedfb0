import { afterAll, beforeAll, expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub, type Hub } from "../../src/hub.ts"
import { testDatabase } from "../support/database.ts"
import { adminKey } from "../support/hub.ts"

const database = await testDatabase()
const hubs = new Map<string, Hub>()
const one = "01a1fe93-7ed0-7217-92ce-b0bd50250af4"

beforeAll(async () => {
  for (const role of ["ingest", "stream", "api"] as const) {
    const secrets = { github: ["a secret of github"] }
    const own = { port: 0, host: "127.0.0.1", adminKey, secrets, log: silentLog, env: {} }
    const hub = createHub({ ...own, databaseUrl: database.url, roles: [role] })
    await hub.start()
    hubs.set(role, hub)
  }
})
afterAll(async () => {
  for (const hub of hubs.values()) await hub.stop()
})

async function ask(role: string, method: string, path: string) {
  const response = await fetch(`${hubs.get(role)?.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    ...(method === "POST" ? { body: "{}" } : {}),
    signal: AbortSignal.timeout(10_000),
  })
  const { status } = response
  if (response.headers.get("content-type")?.includes("event-stream") === true) {
    await response.body?.cancel()
    return { status, detail: "" }
  }
  const { detail = "" } = (await response.json()) as { detail?: string }
  return { status, detail }
}

const nowhere = /^there is nothing at|is for processes with the role/

test.each([
  ["POST", "/webhooks/github", ["ingest"]],
  ["POST", "/webhooks/github/mine", ["ingest"]],
  ["POST", "/api/v1/events", ["ingest"]],
  ["POST", "/api/v1/deployments", ["ingest"]],
  ["GET", "/api/v1/events/stream", ["stream"]],
  ["GET", "/api/v1/streams/all_events/sse", ["stream"]],
  ["GET", "/api/v1/streams/all_events/ws", ["stream"]],
  ["POST", "/api/v1/consumer-groups/g/members", ["stream", "api"]],
  ["GET", `/api/v1/consumer-groups/g/members/${one}/events`, ["stream", "api"]],
  ["POST", `/api/v1/consumer-groups/g/members/${one}/replayed`, ["stream", "api"]],
  ["GET", "/api/v1/consumer-groups", ["api"]],
  ["GET", "/api/v1/events", ["api"]],
  ["GET", "/api/v1/events/history", ["api"]],
  ["GET", `/api/v1/events/${one}/raw`, ["api"]],
  ["GET", "/api/v1/entities/linear:issue:ENG-1/timeline", ["api"]],
  ["GET", "/api/v1/links/explain", ["api"]],
  ["GET", "/api/v1/links/rules", ["api"]],
  ["GET", "/api/v1/streams", ["api"]],
  ["POST", "/api/v1/streams/all_events/token", ["api"]],
  ["GET", "/api/v1/subscriptions", ["api"]],
  ["GET", "/api/v1/consumers", ["api"]],
  ["GET", "/api/v1/connections/stats", ["api"]],
  ["GET", "/api/v1/sources", ["api"]],
  ["GET", "/api/v1/completeness", ["api"]],
  ["GET", "/api/v1/dead-letters", ["api"]],
  ["GET", "/api/v1/replays", ["api"]],
  ["GET", "/api/v1/keys", ["api"]],
  ["GET", "/api/v1/metrics", ["api"]],
  ["GET", "/api/v1/metrics/delivery", ["api"]],
])("%s %s is served by the roles that are told where it is not: %j", async (method, path, roles) => {
  const words = `${method} ${path} is for processes with the role ${roles.join(" or ")}, which this one does not have (SIGNALBOX_ROLES)`
  const told: Record<string, { status: number; detail: string }> = {}
  for (const role of hubs.keys()) told[role] = await ask(role, method, path)
  const others = [...hubs.keys()].filter((role) => !roles.includes(role))
  expect(others.map((role) => told[role])).toEqual(others.map(() => ({ status: 404, detail: words })))
  for (const role of roles) expect(told[role]?.detail).not.toMatch(nowhere)
})

test("a path that no process serves is nothing anywhere, and how a process does is told by all", async () => {
  for (const role of hubs.keys()) {
    expect(await ask(role, "GET", "/api/v1/nosuch")).toEqual({
      status: 404,
      detail: "there is nothing at GET /api/v1/nosuch",
    })
    for (const path of ["/healthz", "/readyz"]) expect((await ask(role, "GET", path)).status).toBe(200)
    const headers = { authorization: `Bearer ${adminKey}` }
    const figures = await fetch(`${hubs.get(role)?.url}/metrics`, { headers })
    expect(await figures.text()).toContain(`signalbox_process_info{roles="${role}"} 1`)
  }
})

test("of the streams of all processes those tell that serve any", async () => {
  const url = `${hubs.get("api")?.url}/api/v1/connections/stats`
  const headers = { authorization: `Bearer ${adminKey}` }
  const stats = async () => (await (await fetch(url, { headers })).json()) as { nodes: unknown[] }
  expect(await stats()).toMatchObject({ nodes: [{ node: expect.any(String) as string }], unanswered: [] })
})

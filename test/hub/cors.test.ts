import { expect, it } from "vitest"
import { startTestHub } from "../support/hub.ts"

const page = "https://board.example.com"
const hub = await startTestHub({ env: { SIGNALBOX_CORS_ORIGINS: `${page},http://localhost:5173` } })
const closed = await startTestHub()

it("a page of an origin that is named may ask, in a preflight and in earnest", async () => {
  const preflight = await fetch(`${hub.url}/api/v1/events`, {
    method: "OPTIONS",
    headers: {
      origin: page,
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get("access-control-allow-origin")).toBe(page)
  expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization")
  const answer = await hub.request("/api/v1/events", { headers: { origin: page } })
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, page])
})

it("streams and refusals are a page's to read as well", async () => {
  const stream = await hub.request("/api/v1/events/stream", { headers: { origin: page } })
  expect([stream.status, stream.headers.get("access-control-allow-origin")]).toEqual([200, page])
  expect(stream.headers.get("vary")?.toLowerCase()).toContain("origin")
  await stream.body?.cancel()
  const refused = await hub.request("/api/v1/events", { key: "sb_nonsense", headers: { origin: page } })
  expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, page])
})

it("pages of other origins, and of any where none is named, may not", async () => {
  const other = await hub.request("/api/v1/events", { headers: { origin: "https://evil.example.com" } })
  expect(other.headers.get("access-control-allow-origin")).toBeNull()
  const none = await closed.request("/api/v1/events", { headers: { origin: page } })
  expect(none.headers.get("access-control-allow-origin")).toBeNull()
})

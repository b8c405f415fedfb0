import { expect, it } from "vitest"
import { startTestHub } from "../support/hub.ts"

const { url, request, json } = await startTestHub({
  env: { SIGNALBOX_MAX_STREAMS_BY_ADDRESS: "2", SIGNALBOX_TRUSTED_PROXIES: "127.0.0.0/8,::1" },
})

/** Opens a stream through a proxy that says where it comes from. */
async function open(forwardedFor: string, ending: AbortSignal): Promise<number> {
  const headers = { "x-forwarded-for": forwardedFor }
  const { status } = await request("/api/v1/events/stream", { headers, signal: ending })
  return status
}

it("a client behind a trusted proxy has a share of its own, whatever it says of itself", async () => {
  expect(url).toContain("127.0.0.1")
  const ending = new AbortController()
  const statuses = []
  for (const from of ["192.0.2.1, 198.51.100.1", "192.0.2.2, 198.51.100.1", "192.0.2.3, 198.51.100.1"])
    statuses.push(await open(from, ending.signal))
  statuses.push(await open("198.51.100.2", ending.signal))
  expect(statuses).toEqual([200, 200, 429, 200])
  const { body } = await json("/api/v1/connections")
  expect(body.connections.map(({ address }: { address: string }) => address)).toEqual([
    "198.51.100.1",
    "198.51.100.1",
    "198.51.100.2",
  ])
  ending.abort()
})

import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest"
import { createGuard } from "../../src/delivery/guard.ts"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { startSending, subscribe } from "./machine.ts"

// What must never be reached listens here, on IPv4 and on IPv6, and counts whoever connects.
const database = await testDatabase()
let connections = 0
const [trap4, trap6] = [await listening("127.0.0.1"), await listening("::1")]
const servers: Server[] = [trap4, trap6]
for (const trap of servers) trap.on("connection", () => connections++)
afterAll(() => servers.forEach((server) => server.close()))
afterEach(() => database.work.query("delete from stream_subscriptions"))
beforeEach(() => {
  connections = 0
})

async function listening(address: string): Promise<Server> {
  const server = createServer((_request, response) => void response.writeHead(204).end())
  server.listen(0, address)
  await once(server, "listening")
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/**
 * Subscribes each address where networks of our own are allowed still, sends from a process where they are
 * not any more, and answers what became of the one event at each.
 */
async function attemptsAt(urls: readonly string[]): Promise<{ url: string; error: string | null }[]> {
  const filter = { types: ["trap.*"] }
  const names = urls.map((_, index) => `trap-${index}`)
  for (const [index, url] of urls.entries()) {
    await subscribe(database, names[index] ?? "", url, { filter })
  }
  await startSending(database, { guard: createGuard({ allowNetworks: ["127.0.0.2/32"] }) })
  await append(database, { type: "trap.was.set" })
  const attempts = []
  for (const [index, name] of names.entries()) {
    const [row] = await eventually(
      () => deliveriesOf(database, name),
      (rows) => rows[0]?.status === "retrying",
    )
    attempts.push({ url: urls[index] ?? "", error: row?.last_error ?? null })
  }
  return attempts
}

test("no form of an address of our own is ever connected to", async () => {
  const [port, ofIPv6] = [portOf(trap4), portOf(trap6)]
  const hosts = [
    `127.0.0.1:${port}`,
    `127.0.0.1.:${port}`, // rooted
    `127.1:${port}`,
    `2130706433:${port}`, // decimal
    `0177.0.0.1:${port}`, // octal
    `0x7f000001:${port}`, // hexadecimal
    `127%2e0%2e0%2e1:${port}`,
    `127。0。0。1:${port}`, // ideographic full stops
    `①②⑦.0.0.1:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `[::ffff:7f00:1]:${port}`,
    `[::1]:${ofIPv6}`,
    `[0:0:0:0:0:0:0:1]:${ofIPv6}`,
    `localhost:${port}`,
    `localhost.:${port}`,
    `LOCALHOST:${ofIPv6}`,
    `ⓛocalhost:${port}`, // the same once IDNA has had it
  ]
  const attempts = await attemptsAt(hosts.map((host) => `http://${host}/hook`))
  expect(attempts).toHaveLength(hosts.length)
  for (const { url, error } of attempts) {
    // Not every system knows a rooted name of itself.
    expect({ url, error }).toEqual({ url, error: expect.stringMatching(/is no public address|^ENOTFOUND/) })
  }
  expect(connections).toBe(0)
})

test("no redirect leads there either, of whatever status", async () => {
  const statuses = [301, 302, 303, 307, 308]
  const redirecting = await listening("127.0.0.2")
  servers.push(redirecting)
  redirecting.removeAllListeners("request").on("request", (request, response) => {
    const location = `http://127.0.0.1:${portOf(trap4)}/`
    response.writeHead(Number(request.url?.slice(1)), { location }).end()
  })
  const attempts = await attemptsAt(
    statuses.map((status) => `http://127.0.0.2:${portOf(redirecting)}/${status}`),
  )
  expect(attempts.map(({ error }) => error)).toEqual(
    statuses.map((status) => expect.stringContaining(`answered ${status} (redirects are not followed`)),
  )
  expect(connections).toBe(0)
})

test("a proxy of the environment is not asked: it would look names up for itself", async () => {
  const proxy = `http://127.0.0.1:${portOf(trap4)}`
  for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"]) {
    vi.stubEnv(name, proxy)
  }
  try {
    const [attempt] = await attemptsAt(["http://127.0.0.3/"])
    expect(attempt?.error).toContain("is no public address")
    expect(connections).toBe(0)
  } finally {
    vi.unstubAllEnvs()
  }
})

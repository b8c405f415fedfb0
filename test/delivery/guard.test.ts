import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, test } from "vitest"
import { createGuard } from "../../src/delivery/guard.ts"
import type { Resolve } from "../../src/delivery/look-up.ts"
import { isPublicAddress } from "../../src/delivery/public-address.ts"
import { createSender } from "../../src/delivery/send.ts"
import { startReceiver } from "./receiver.ts"

const forbidden = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.100.100.200", // metadata of a cloud
  "169.254.169.254", // metadata of the others
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:169.254.169.254",
  "::127.0.0.1",
  "::ffff:0:10.0.0.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "2002:7f00:1::",
  "2001:0:53aa:64c::1",
  "2001:db8::1",
  "fc00::1",
  "fd00:ec2::254", // metadata of a cloud
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "100::1",
  "not an address",
]

test.each(forbidden)("%s is no public address", (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(["1.1.1.1", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111"])(
  "%s is a public address",
  (address) => {
    expect(isPublicAddress(address)).toBe(true)
  },
)

const guard = createGuard({ allowNetworks: [] })

test.each([
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0177.0.0.1/",
  "http://0x7f.1/",
  "http://①②⑦.0.0.1/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
  "https://169.254.169.254/latest/meta-data/",
  "http://0/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "gopher://127.0.0.1:6379/_",
  "http://user:password@example.com/",
  "//example.com/",
  "example.com",
  `https://example.com/${"x".repeat(2048)}`,
])("%s is refused where a subscription is made", (url) => {
  expect(() => guard.checkUrl(url)).toThrow(expect.objectContaining({ code: "bad_request" }))
})

test("a network that the operator allows may be named, in whatever form it comes", () => {
  const lenient = createGuard({ allowNetworks: ["127.0.0.0/8", "fd12::/16"] })
  expect(lenient.checkUrl("http://127.1:8080/x#y").href).toBe("http://127.0.0.1:8080/x")
  expect(lenient.checkUrl("http://[::ffff:127.0.0.1]/").hostname).toBe("[::ffff:7f00:1]")
  expect(lenient.checkUrl("http://[fd12::1]/").hostname).toBe("[fd12::1]")
  expect(() => lenient.checkUrl("http://10.0.0.1/")).toThrow("SIGNALBOX_ALLOW_NETWORKS")
})

/** A server that must never be reached, and how often it was connected to. */
async function trap() {
  let connections = 0
  const server = createServer((_request, response) => void response.end("secret"))
  server.on("connection", () => connections++)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return { port, connections: () => connections, close: () => server.close() }
}

async function ask(origin: string, resolve: Resolve, allowNetworks: string[] = []) {
  const sender = createSender(origin, createGuard({ allowNetworks, resolve }), 1)
  try {
    return await sender.send({ path: "/", headers: {}, body: Buffer.from("{}"), timeoutMs: 5_000 })
  } finally {
    await sender.close()
  }
}

const answering = (...addresses: string[]): Resolve =>
  async function resolve() {
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
  }

test("a name that leads to a private address is never connected to, nor one that leads to a public one too", async () => {
  const { port, connections, close } = await trap()
  for (const addresses of [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::ffff:127.0.0.1"], []]) {
    const answer = await ask(`http://hook.example:${port}`, answering(...addresses))
    expect(answer).toMatchObject({ statusCode: null, error: { name: "ForbiddenAddress" } })
  }
  expect(connections()).toBe(0)
  close()
})

test("an address in the URL is checked at the connection as well", async () => {
  const { port, connections, close } = await trap()
  for (const host of ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433"]) {
    const { origin } = new URL(`http://${host}:${port}`)
    const answer = await ask(origin, answering("93.184.215.14"))
    expect(answer.error?.name).toBe("ForbiddenAddress")
  }
  expect(connections()).toBe(0)
  close()
})

test("a name that changes its answer is looked up anew at each connection, and what was checked is what is reached", async () => {
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(204, { connection: "close" }).end()
  })
  const { port } = new URL(receiver.url)
  const answers = ["127.0.0.1", "10.0.0.1", "127.0.0.1"]
  const asked: string[] = []
  const sender = createSender(
    `http://rebinding.example:${port}`,
    createGuard({
      allowNetworks: ["127.0.0.0/8"],
      async resolve(hostname) {
        asked.push(hostname)
        return [{ address: answers[asked.length - 1] ?? "10.0.0.1", family: 4 }]
      },
    }),
    1,
  )
  const send = () => sender.send({ path: "/", headers: {}, body: Buffer.from("{}"), timeoutMs: 5_000 })
  const outcomes = [await send(), await send(), await send(), await send()]
  await sender.close()
  expect(outcomes.map(({ statusCode, error }) => statusCode ?? error?.name)).toEqual([
    204,
    "ForbiddenAddress",
    204,
    "ForbiddenAddress",
  ])
  expect(asked).toEqual(Array.from({ length: 4 }, () => "rebinding.example"))
  expect(receiver.received.map(({ headers }) => headers["host"])).toEqual([
    `rebinding.example:${port}`,
    `rebinding.example:${port}`,
  ])
})

test("a redirect is an answer and leads nowhere", async () => {
  const { port, connections, close } = await trap()
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end()
  })
  const answer = await ask(new URL(receiver.url).origin, answering("127.0.0.1"), ["127.0.0.0/8"])
  expect(answer.statusCode).toBe(307)
  expect(connections()).toBe(0)
  close()
})

test("of an answer 1 KiB is kept, and one without an end is left", async () => {
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(200)
    const pour = () =>
      void (response.write("x".repeat(16_384)) ? setImmediate(pour) : response.once("drain", pour))
    pour()
  })
  const answer = await ask(new URL(receiver.url).origin, answering("127.0.0.1"), ["127.0.0.0/8"])
  expect(answer).toMatchObject({ statusCode: 200, response: "x".repeat(1024), error: null, cut: false })
})

test("an answer that does not come in time is a failure, and so is a connection that is cut", async () => {
  const silent = await startReceiver(() => {})
  const sender = createSender(new URL(silent.url).origin, createGuard({ allowNetworks: ["127.0.0.0/8"] }), 1)
  const request = { path: "/", headers: {}, body: Buffer.from("{}") }
  expect(await sender.send({ ...request, timeoutMs: 50 })).toMatchObject({
    statusCode: null,
    error: { name: "TimeoutError" },
    cut: false,
  })
  const stop = new AbortController()
  const cut = sender.send({ ...request, timeoutMs: 5_000, signal: stop.signal })
  stop.abort()
  expect(await cut).toMatchObject({ statusCode: null, cut: true })
  await sender.close()
  const rude = await startReceiver((_request, response) => void response.destroy())
  expect(await ask(new URL(rude.url).origin, answering("127.0.0.1"), ["127.0.0.0/8"])).toMatchObject({
    statusCode: null,
    error: { code: "UND_ERR_SOCKET" },
  })
})

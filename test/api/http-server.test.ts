import { once } from "node:events"
import { connect } from "node:net"
import { expect, it } from "vitest"
import { listen } from "../../src/api/http-server.ts"

it("a server closes at once although clients hold connections without a request", async () => {
  const server = await listen(() => new Response("yes"), { host: "127.0.0.1", port: 0 })
  expect(await (await fetch(server.url)).text()).toBe("yes") // its connection stays, for another request
  const reserve = connect(server.port, "127.0.0.1")
  await once(reserve, "connect")
  const ended = once(reserve, "close")
  let cut = false
  const deadline = setTimeout(() => (cut = true), 10_000)
  await server.close(20_000)
  clearTimeout(deadline)
  await ended
  expect(cut).toBe(false)
})

it("a request under way is answered before the server closes", async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const server = await listen(
    async () => {
      asked.resolve()
      await answer.promise
      return new Response("late")
    },
    { host: "127.0.0.1", port: 0 },
  )
  const response = fetch(server.url)
  await asked.promise
  const closed = server.close(20_000)
  answer.resolve()
  expect(await (await response).text()).toBe("late")
  await closed
})

async function rawAnswer(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  socket.write(text)
  let answer = ""
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

function headers(count: number, value: string): string {
  return Array.from({ length: count }, (_, index) => `x-${index}: ${value}\r\n`).join("")
}

it("a request with very many or very large headers is a 431", async () => {
  const seen: number[] = []
  const server = await listen(
    (request) => {
      seen.push([...request.headers].length)
      return new Response("yes")
    },
    { host: "127.0.0.1", port: 0 },
  )
  const head = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
  const many = await rawAnswer(server.port, `${head}${headers(127, "1")}\r\n`)
  expect(many).toMatch(/^HTTP\/1.1 431 /)
  expect(many).toContain('"status":431,"detail":"a request may have 128 headers at most","code":"too_large"')
  expect(await rawAnswer(server.port, `${head}${headers(3_000, "1")}\r\n`)).toMatch(/^HTTP\/1.1 431 /)
  expect(await rawAnswer(server.port, `${head}${headers(40, "x".repeat(500))}\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  )
  expect(seen).toEqual([])
  expect(await rawAnswer(server.port, `${head}${headers(126, "1")}\r\n`)).toMatch(/^HTTP\/1.1 200 /)
  await server.close(1_000)
})

it.each([
  ["a method that nobody knows", "FROB / HTTP/1.1\r\nhost: x\r\n\r\n"],
  ["no host", "GET / HTTP/1.1\r\n\r\n"],
  ["two lengths", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
  ],
  ["a line break in a header", "GET / HTTP/1.1\r\nhost: x\r\nx-a: b\n\0c\r\n\r\n"],
  ["a host that is none", "GET / HTTP/1.1\r\nhost: a b<>\r\nconnection: close\r\n\r\n"],
  ["a path that is none", "GET http://[ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
])("a request with %s is a 400", async (_, text) => {
  const server = await listen(() => new Response("yes"), { host: "127.0.0.1", port: 0 })
  expect(await rawAnswer(server.port, text)).toMatch(/^HTTP\/1.1 400 /)
  await server.close(1_000)
})

it("a head that trickles in does not hold its connection", async () => {
  const server = await listen(() => new Response("yes"), {
    host: "127.0.0.1",
    port: 0,
    headersTimeoutMs: 300,
  })
  const socket = connect(server.port, "127.0.0.1")
  let answer = ""
  let isReset = false
  socket.on("data", (chunk) => (answer += String(chunk)))
  socket.on("error", () => (isReset = true))
  const trickle = setInterval(() => socket.write("x"), 50)
  socket.write("GET / HTTP/1.1\r\nx-slow: ")
  await new Promise((resolve) => socket.on("close", resolve)) // `once` would reject at a reset
  clearInterval(trickle)
  // Where a byte of ours meets the closed connection, TCP resets it and drops an answer not yet read.
  expect(answer).toMatch(isReset ? /^(?:HTTP\/1.1 408 |$)/ : /^HTTP\/1.1 408 /)
  await server.close(1_000)
})

it("connections past the most that a process holds are closed, and those it has go on", async () => {
  const server = await listen(() => new Response("yes"), { host: "127.0.0.1", port: 0, maxConnections: 2 })
  const held = [connect(server.port, "127.0.0.1"), connect(server.port, "127.0.0.1")]
  await Promise.all(held.map((socket) => once(socket, "connect")))
  const surplus = connect(server.port, "127.0.0.1")
  surplus.on("error", () => {})
  await once(surplus, "close")
  const [first] = held
  first?.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
  const [chunk] = first === undefined ? [""] : await once(first, "data")
  expect(String(chunk)).toMatch(/^HTTP\/1.1 200 /)
  for (const socket of held) socket.destroy()
  await server.close(1_000)
})

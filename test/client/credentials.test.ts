import { expect, it } from "vitest"
import { createClient, SignalboxClientError, type Retry, type StreamOptions } from "../../src/client/index.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { startProxy } from "./support/proxy.ts"
import { take } from "./support/take.ts"

const { url, json } = await startTestHub()
const admin = createClient({ url, key: adminKey })
const transports: NonNullable<StreamOptions["transport"]>[] = ["sse", "websocket"]

async function newKey(): Promise<{ id: string; key: string }> {
  const { status, body } = await json("/api/v1/keys", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "client", scopes: ["streams:read", "events:read"] }),
  })
  expect(status).toBe(201)
  return { id: body.id, key: body.key }
}

async function revoke(id: string): Promise<void> {
  expect((await json(`/api/v1/keys/${id}`, { method: "DELETE" })).status).toBeLessThan(300)
}

const submit = async (n: number) => admin.submit({ type: "rotation.step.taken", payload: { n } })

it.each(transports)(
  "a key that is rotated while a stream is open costs it no event (%s)",
  async (transport) => {
    let current = await newKey()
    let asked = 0
    const client = createClient({
      url,
      token: async () => {
        asked++
        return current.key
      },
    })
    const retries: Retry[] = []
    await using stream = client.stream("all_events", {
      types: "rotation.**",
      transport,
      onRetry: (retry) => retries.push(retry),
    })
    const first = take(stream, 1)
    await expect.poll(() => stream.position).not.toBeNull()
    await submit(1)
    const [before] = await first
    expect(before?.event.payload).toMatchObject({ payload: { n: 1 } })
    expect(asked).toBe(1)

    const old = current
    current = await newKey()
    await revoke(old.id)
    const rest = take(stream, 2)
    await submit(2)
    await expect.poll(() => retries.length, { timeout: 20_000 }).toBeGreaterThan(0) // the hub ends what the old key opened
    await submit(3)
    const numbers = (await rest).map(({ event }) => event.payload)
    expect(numbers).toMatchObject([{ payload: { n: 2 } }, { payload: { n: 3 } }])
    expect(asked).toBe(2)
  },
  60_000,
)

it("requests that need a new token together ask for it once", async () => {
  const good = await newKey()
  let asked = 0
  const client = createClient({
    url,
    token: async () => {
      asked++
      return asked === 1 ? "sb_a_key_that_was_revoked_long_ago" : good.key
    },
  })
  const answers = await Promise.all([client.streams(), client.streams(), client.streams()])
  expect(answers.every((streams) => streams.some(({ name }) => name === "pr_events"))).toBe(true)
  expect(asked).toBe(2)
})

it("a token that is refused twice is refused for good", async () => {
  let asked = 0
  const client = createClient({ url, token: () => `sb_wrong_${asked++}` })
  await expect(client.stream("all_events").next()).rejects.toMatchObject({
    code: "unauthenticated",
    status: 401,
    retryable: false,
  })
  expect(asked).toBe(2)
  await expect(createClient({ url, key: "sb_wrong" }).streams()).rejects.toMatchObject({ status: 401 })
})

it("a key without the scope is told which one it lacks", async () => {
  const { key } = await newKey()
  const refused = await createClient({ url, key })
    .submit({ type: "not.allowed.here" })
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(SignalboxClientError)
  expect(refused).toMatchObject({ code: "forbidden", status: 403 })
  expect(String(refused)).toContain("events:write")
})

it.each([
  [{ url, key: "" }, "key must be text, and not empty"],
  [{ url, key: "sb_\u{1F511}" }, "key holds characters that no header can carry"],
  [{ url: "hub.example", key: "k" }, 'url must begin with http:// or https://, not be "hub.example"'],
])("a mistake in the options is told at once: %j", (options, words) => {
  expect(() => createClient(options)).toThrow(words)
})

it.each(transports)(
  "a token that was never to be had ends a stream, with the cause (%s)",
  async (transport) => {
    const cause = new Error("no such vault")
    const client = createClient({ url, token: () => Promise.reject(cause) })
    await expect(client.stream("all_events", { transport }).next()).rejects.toMatchObject({
      code: "no_token",
      message: "the token could not be had: no such vault",
      cause,
    })
  },
)

it("a token that cannot be had for a while does not end a stream that was open", async () => {
  let current = await newKey()
  let fails = 0
  const client = createClient({
    url,
    token: () => {
      if (fails > 0 && fails-- > 0) throw new Error("the vault is away")
      return current.key
    },
  })
  const retries: Retry[] = []
  await using stream = client.stream("all_events", {
    types: "rotation.**",
    onRetry: (retry) => retries.push(retry),
  })
  const next = take(stream, 1)
  await expect.poll(() => stream.position).not.toBeNull()
  const old = current
  current = await newKey()
  fails = 1
  await revoke(old.id)
  await expect.poll(() => retries.map(({ error }) => error.code), { timeout: 20_000 }).toContain("no_token")
  await submit(4)
  expect((await next)[0]?.event.payload).toMatchObject({ payload: { n: 4 } })
}, 60_000)

/** A WebSocket as browsers have it, and the addresses that it was opened with. */
function browserWebSocket() {
  const addresses: string[] = []
  const openWebSocket = (address: string, headers: Readonly<Record<string, string>>) => {
    if (Object.keys(headers).length > 0) throw new SyntaxError("The subprotocol is invalid")
    addresses.push(address)
    return new WebSocket(address)
  }
  return { addresses, openWebSocket }
}

it("where a WebSocket sends no headers, a token for each connection goes into its address, and never the key", async () => {
  const { id, key } = await newKey()
  const { addresses, openWebSocket } = browserWebSocket()
  const proxy = await startProxy(url)
  const client = createClient({ url: proxy.url, key, openWebSocket })
  await using stream = client.stream("all_events", { transport: "websocket", types: "rotation.**" })
  const next = take(stream, 1)
  await expect.poll(() => stream.position).not.toBeNull()
  proxy.cutAll()
  await submit(5)
  expect((await next)[0]?.event.payload).toMatchObject({ payload: { n: 5 } })
  expect(addresses).toHaveLength(2)
  for (const address of addresses) expect(address).toMatch(/\/ws\?.*&token=st_[\w-]+$/)
  expect(new Set(addresses).size).toBe(2)
  expect(addresses.join()).not.toContain(key)
  await revoke(id)
})

it.each(transports)(
  "a browser without a key follows a stream by tokens that a server gets (%s)",
  async (transport) => {
    const { openWebSocket } = browserWebSocket()
    const given: string[] = []
    let stale = 1
    const client = createClient({
      url,
      openWebSocket,
      streamToken: async (stream) => {
        const { body } = await json(`/api/v1/streams/${stream}/token`, { method: "POST" })
        given.push(body.token)
        if (stale-- > 0) await json(`/api/v1/streams/${stream}/sse?token=${body.token}&after=x`, { key: "" }) // used up
        return body.token
      },
    })
    await using stream = client.stream("all_events", { transport, types: "rotation.**" })
    const next = take(stream, 1)
    await expect.poll(() => stream.position, { timeout: 10_000 }).not.toBeNull()
    await submit(6)
    expect((await next)[0]?.event.payload).toMatchObject({ payload: { n: 6 } })
    expect(given.length).toBeGreaterThan(1)
    await expect(client.streams()).rejects.toMatchObject({ code: "configuration" })
    const refused = createClient({ url, openWebSocket, streamToken: async () => "st_wrong" })
    await expect(refused.stream("all_events", { transport }).next()).rejects.toMatchObject({ status: 401 })
  },
)

it.each(transports)("an operator's words reach the clients of a name (%s)", async (transport) => {
  const heard: unknown[] = []
  const clientName = `dashboard-${transport}`
  await using stream = admin.stream("all_events", {
    transport,
    clientName,
    types: "nothing.at.all",
    onBroadcast: (data) => heard.push(data),
  })
  const waiting = stream.next()
  await expect.poll(() => stream.position).not.toBeNull()
  const words = { text: "line\nbreak ü" }
  const answer = await json("/api/v1/connections/broadcast", {
    method: "POST",
    body: JSON.stringify({ data: words, clients: [clientName] }),
  })
  expect(answer.body).toMatchObject({ reached: 1 })
  await expect.poll(() => heard).toEqual([words])
  await stream.return()
  expect(await waiting).toMatchObject({ done: true })
})

import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fetchEventSource } from "@microsoft/fetch-event-source"
import { EventSource } from "eventsource"
import { expect, it, onTestFinished } from "vitest"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, type TestHub } from "../support/hub.ts"
import { startProxy } from "./support/proxy.ts"
import { range } from "./support/take.ts"

// A whole hub, with its keys: what these clients send besides is theirs to choose.
const hub: TestHub = await startTestHub()
const authorization = `Bearer ${adminKey}`
const type = "interop.thing.happened"

async function head(): Promise<number> {
  const { rows } = await hub.database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

/** Logs events with text beyond ASCII and some that does not compress. */
async function produce(count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    const pad = randomBytes(1_500).toString("base64")
    await logEvents(hub.database.work, [{ type, title: `№ ${n} 😀`, payload: { n, pad } }])
    await sleep(5)
  }
}

/** Cuts the first three connections at random bytes. */
async function cutting() {
  let cuts = 3
  return startProxy(hub.url, {
    bytesBeforeCut: () => (cuts-- > 0 ? 1_000 + Math.floor(Math.random() * 10_000) : undefined),
  })
}

interface Given {
  id: string
  data: string
}

/** Expects every event since `start`, each once and in order, with ids that are its positions. */
function expectEach(given: readonly Given[], start: number, count: number): void {
  const events = given.map(({ data }): { position: number; title: string } => JSON.parse(data))
  expect(given.map(({ id }) => Number(id))).toEqual(range(start, count))
  expect(events.map(({ position }) => position)).toEqual(range(start, count))
  expect(events.map(({ title }) => title)).toEqual(range(0, count).map((n) => `№ ${n} 😀`))
}

const patience = { timeout: 40_000 }

it("EventSource of npm follows a stream over cuts, and misses and repeats nothing", async () => {
  const start = await head()
  const proxy = await cutting()
  const given: Given[] = []
  const source = new EventSource(`${proxy.url}/api/v1/streams/all_events/sse?after=${start}`, {
    fetch: async (url, init) => fetch(url, { ...init, headers: { ...init.headers, authorization } }),
  })
  onTestFinished(() => source.close())
  source.addEventListener(type, ({ lastEventId: id, data }) => given.push({ id, data }))
  await produce(60)
  await expect.poll(() => given.length, patience).toBeGreaterThanOrEqual(60)
  expectEach(given, start, 60)
  expect(proxy.cuts).toBe(3)
}, 60_000)

it("fetch-event-source follows a stream over cuts, and misses and repeats nothing", async () => {
  // It was made for browsers, and wants their window for its timers.
  Object.assign(globalThis, { window: globalThis, document: new EventTarget() })
  onTestFinished(
    () =>
      void (Reflect.deleteProperty(globalThis, "window") && Reflect.deleteProperty(globalThis, "document")),
  )
  const start = await head()
  const proxy = await cutting()
  const given: Given[] = []
  const controller = new AbortController()
  const following = fetchEventSource(`${proxy.url}/api/v1/streams/all_events/sse?after=${start}`, {
    headers: { authorization },
    signal: controller.signal,
    openWhenHidden: true,
    // It takes an id for received when it has read that line, before it has the data: cut off between the two,
    // it would pass over the event. The id of the last message that it handed out is the right one.
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers)
      const last = given.at(-1)?.id
      if (last === undefined) headers.delete("last-event-id")
      else headers.set("last-event-id", last)
      return fetch(input, { ...init, headers })
    },
    onmessage: ({ id, event, data }) => {
      if (event === type) given.push({ id, data })
    },
  })
  await produce(60)
  await expect.poll(() => given.length, patience).toBeGreaterThanOrEqual(60)
  expectEach(given, start, 60)
  expect(proxy.cuts).toBe(3)
  controller.abort()
  await following
}, 60_000)

it.each(["-N", "-N --compressed"])("curl %s prints events as they come", async (options) => {
  const start = await head()
  const child = spawn(
    "curl",
    [
      "-s",
      ...options.split(" "),
      "-H",
      `Authorization: ${authorization}`,
      `${hub.url}/api/v1/streams/all_events/sse?after=${start}`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  )
  onTestFinished(() => void child.kill())
  const lines: string[] = []
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line))
  await expect.poll(() => lines, patience).toContain(`id: ${start}`)
  for (let n = 1; n <= 3; n++) {
    await produce(1)
    // Each is there before the next is made: nothing waits in a buffer for more.
    await expect.poll(() => lines.filter((line) => line === `id: ${start + n}`), patience).toHaveLength(1)
  }
  expect(lines.filter((line) => line === `event: ${type}`)).toHaveLength(3)
})

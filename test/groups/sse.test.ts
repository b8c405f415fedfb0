import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, onTestFinished } from "vitest"
import { createSseParser, type SseItem } from "../../src/client/sse-parser.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { joinGroup, makeGroup, type HandMember, type Place } from "./support/members.ts"
import { startStreamNode } from "./support/stream-node.ts"

const hub = await startTestHub()

interface Frame {
  type: string
  // oxlint-disable-next-line typescript/no-explicit-any
  data: any
}

/** Opens a member's stream, and collects its frames until the test is over. */
async function follow(member: HandMember): Promise<{ frames: Frame[]; cut(): void; status: number }> {
  const ending = new AbortController()
  onTestFinished(() => ending.abort())
  const response = await hub.request(`${member.path}/sse`, { signal: ending.signal })
  const frames: Frame[] = []
  void (async () => {
    const parser = createSseParser()
    for await (const bytes of response.body ?? []) {
      for (const item of parser.push(bytes))
        if (isMessage(item)) frames.push({ type: item.type, data: JSON.parse(item.data) })
    }
  })().catch(() => {})
  return { frames, cut: () => ending.abort(), status: response.status }
}

function isMessage(item: SseItem): item is Extract<SseItem, { kind: "message" }> {
  return item.kind === "message"
}

const ofType = (frames: readonly Frame[], type: string) => frames.filter((frame) => frame.type === type)

it("a member is told its assignment, its events and what to commit, and others take over when it is cut off", async () => {
  const group = await makeGroup(hub, "streamed", { partitions: 2, sessionSeconds: 60 })
  const member = await joinGroup(hub, group, "streaming")
  const stream = await follow(member)
  await until(
    async () => stream.frames,
    (frames) => ofType(frames, "assignment").length > 0,
  )
  expect(stream.frames[0]).toMatchObject({
    type: "assignment",
    data: { assignments: [{}, {}], revoking: [] },
  })
  const logged = await logEvents(hub.database.work, [
    { type: "thing.one", entity: "thing:1" },
    { type: "thing.two", entity: "thing:2" },
  ])
  await until(
    async () => stream.frames,
    (frames) => ofType(frames, "positions").length > 1,
  )
  const events = stream.frames.filter(({ type }) => type.startsWith("thing."))
  expect(events.map(({ data }) => data.event.id)).toEqual(logged.map(({ id }) => id))
  const last: Place[] = ofType(stream.frames, "positions").at(-1)?.data
  expect(await member.commit(last)).toBe(200)

  const [third] = await logEvents(hub.database.work, [{ type: "thing.three", entity: "thing:1" }])
  await until(
    async () => stream.frames,
    (frames) => ofType(frames, "thing.three").length > 0,
  )
  const heir = await joinGroup(hub, group, "heir")
  stream.cut()
  const shares: Place[] = []
  await until(
    async () => shares.splice(0, 2, ...(await heir.heartbeat()).assignments),
    () => shares.length === 2,
  )
  const inherited = await heir.fetch("wait=5")
  expect(inherited.events.map(({ event }) => event.id)).toEqual([third?.id])
})

it("a member that is to give something back is told, and the other has it once that is committed", async () => {
  const group = await makeGroup(hub, "handed", { partitions: 2, sessionSeconds: 60 })
  const first = await joinGroup(hub, group)
  const stream = await follow(first)
  await logEvents(
    hub.database.work,
    Array.from({ length: 8 }, (_, n) => ({ type: "thing.one", entity: `thing:${n}` })),
  )
  await until(
    async () => stream.frames,
    (frames) => ofType(frames, "thing.one").length === 8,
  )
  const second = await joinGroup(hub, group)
  await until(
    async () => ofType(stream.frames, "assignment").at(-1)?.data.revoking ?? [],
    (revoking) => revoking.length === 1,
  )
  expect((await second.heartbeat()).assignments).toEqual([])
  expect(await first.commit(ofType(stream.frames, "positions").at(-1)?.data)).toBe(200)
  await until(
    () => second.heartbeat("wait=1"),
    ({ assignments }) => assignments.length === 1,
  )
})

it("a stranger to the group gets no stream", async () => {
  const group = await makeGroup(hub, "closed")
  const member = await joinGroup(hub, group)
  expect(await member.leave()).toBe(204)
  expect((await follow(member)).status).toBe(404)
})

it("a stream ends soon after its key was revoked, and gets nothing that came later", async () => {
  const group = await makeGroup(hub, "revoked", { partitions: 1 })
  const member = await joinGroup(hub, group)
  const made = await hub.json("/api/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: "short-lived", scopes: ["groups:consume"] }),
  })
  const response = await hub.request(`${member.path}/sse`, { key: made.body.key })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = (await reader.read()).value ?? ""
  expect((await hub.json(`/api/v1/keys/${made.body.id}`, { method: "DELETE" })).status).toBeLessThan(300)
  await sleep(5_500) // so long may a key be believed
  await logEvents(hub.database.work, [{ type: "thing.secret" }])
  for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
  expect(text).toContain('event: error\ndata: {"type":"urn:signalbox:problem:unauthenticated"')
  expect(text).not.toContain("thing.secret")
})

it("a fetch that waits answers nothing to a key that was revoked meanwhile", async () => {
  const group = await makeGroup(hub, "revoked-waiting", { partitions: 1 })
  const member = await joinGroup(hub, group)
  const { body } = await hub.json("/api/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: "shorter-lived", scopes: ["groups:consume"] }),
  })
  const fetching = hub.json(`${member.path}/events?wait=30`, { key: body.key })
  expect((await hub.json(`/api/v1/keys/${body.id}`, { method: "DELETE" })).status).toBeLessThan(300)
  await sleep(5_500) // so long may a key be believed
  await logEvents(hub.database.work, [{ type: "thing.secret" }])
  expect(await fetching).toMatchObject({ status: 401, body: { code: "unauthenticated" } })
  const { events } = await member.fetch("wait=5")
  expect(events.map(({ event }) => event.type)).toEqual(["thing.secret"])
})

it("a stream that ends with its hub says when to come back", async () => {
  const node = await startStreamNode(hub)
  const member = await joinGroup(hub, await makeGroup(hub, "dismissed", { partitions: 1 }))
  const response = await fetch(`${node.url}${member.path}/sse`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = (await reader.read()).value ?? ""
  await node.stop()
  for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
  expect(text).toMatch(/event: error\nretry: [1-5]\d{3}\ndata: \{"type":"urn:signalbox:problem:unavailable"/)
})

it("what is to be given back holds up nothing of the other partitions", async () => {
  const group = await makeGroup(hub, "unhindered", { partitions: 2, sessionSeconds: 60 })
  const first = await joinGroup(hub, group)
  const stream = await follow(first)
  const things = Array.from({ length: 8 }, (_, n) => ({ type: "thing.one", entity: `thing:${n}` }))
  await logEvents(hub.database.work, things)
  await until(
    async () => stream.frames,
    (frames) => ofType(frames, "thing.one").length === 8,
  )
  await joinGroup(hub, group)
  const assigned = await until(
    async () => ofType(stream.frames, "assignment").at(-1)?.data,
    ({ revoking }) => revoking.length === 1,
  )
  const kept: number = assigned.assignments[0].partition
  const ofKept = () => ofType(stream.frames, "thing.one").filter(({ data }) => data.partition === kept).length
  const before = ofKept()
  expect(before).toBeGreaterThan(0)
  await logEvents(hub.database.work, things)
  await until(
    async () => ofKept(),
    (count) => count === 2 * before,
  )
})

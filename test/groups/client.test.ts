import { expect, it, onTestFinished } from "vitest"
import {
  createClient,
  SignalboxClientError,
  type GroupGap,
  type GroupOptions,
} from "../../src/client/index.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { makeGroup } from "./support/members.ts"
import { startStreamNode } from "./support/stream-node.ts"

const hub = await startTestHub()
const client = createClient({ url: hub.url, key: adminKey })

async function log(count: number, entities = 5): Promise<string[]> {
  const specs = Array.from({ length: count }, (_, n) => ({ entity: `thing:${n % entities}` }))
  return (await logEvents(hub.database.work, specs)).map(({ id }) => id)
}

async function lagOf(group: string): Promise<number> {
  return (await hub.json(`/api/v1/consumer-groups/${group}`)).body.lag
}

/** Ends a run with the test, and tells how it ended. */
function running(run: Promise<void>, ending: AbortController): Promise<unknown> {
  const outcome = run.then(
    () => "ended",
    (error: unknown) => error,
  )
  onTestFinished(async () => {
    ending.abort()
    await outcome
  })
  return outcome
}

function consume(group: string, handle: (id: string) => unknown, options: Partial<GroupOptions> = {}) {
  const ending = new AbortController()
  const run = client.group(group, { ...options, signal: ending.signal }).run((event) => handle(event.id))
  return { ending, outcome: running(run, ending) }
}

it("events are handled in the order of their partition and committed, and the run ends when it is told", async () => {
  await makeGroup(hub, "worker", { partitions: 4 })
  const seen: string[] = []
  const { ending, outcome } = consume("worker", (id) => seen.push(id), { batch: 7 })
  const ids = await log(200)
  await until(
    async () => seen.length,
    (count) => count === 200,
  )
  expect(seen.toSorted()).toEqual(ids.toSorted())
  await until(
    () => lagOf("worker"),
    (lag) => lag === 0,
  )
  ending.abort()
  expect(await outcome).toBe("ended")
  expect((await hub.json("/api/v1/consumer-groups/worker")).body.members).toEqual([])
})

it("what fails is tried again before anything behind it, and may be skipped", async () => {
  await makeGroup(hub, "failing", { partitions: 1 })
  const ids = await log(0)
  const attempts: string[] = []
  const { outcome, ending } = consume(
    "failing",
    (id) => {
      attempts.push(id)
      if (id === ids[0] && attempts.length < 3) throw new Error("not yet")
      if (id === ids[1]) throw new Error("never")
    },
    { onError: (_, event, attempt) => (event.id === ids[1] && attempt === 2 ? "skip" : "retry") },
  )
  ids.push(...(await log(3, 1)))
  await until(
    async () => attempts.length,
    (count) => count === 6,
  )
  expect(attempts).toEqual([ids[0], ids[0], ids[0], ids[1], ids[1], ids[2]])
  ending.abort()
  expect(await outcome).toBe("ended")
})

it("a run may end with the error of its handler, and the event goes to another", async () => {
  await makeGroup(hub, "stopping", { partitions: 1 })
  const { outcome } = consume(
    "stopping",
    () => {
      throw new Error("the disk is full")
    },
    { onError: () => "stop" },
  )
  const [id] = await log(1)
  expect(await outcome).toMatchObject({ message: "the disk is full" })
  const seen: string[] = []
  consume("stopping", (one) => seen.push(one))
  await until(
    async () => seen,
    () => seen.length > 0,
  )
  expect(seen).toEqual([id])
})

it("members that come and go share the work, and no event is lost or done twice where all leave in good order", async () => {
  await makeGroup(hub, "sharing", { partitions: 8 })
  const seen = new Map<string, string[]>()
  const join = (name: string) =>
    consume("sharing", (id) => seen.set(id, [...(seen.get(id) ?? []), name]), { name })
  const first = join("first")
  const ids = await log(50)
  const second = join("second")
  ids.push(...(await log(50)))
  await until(
    async () => (await hub.json("/api/v1/consumer-groups/sharing")).body.members,
    (members: { partitions: number[] }[]) =>
      members.length === 2 && members.every((one) => one.partitions.length === 4),
  )
  ids.push(...(await log(50, 30)))
  await until(
    async () => seen.size,
    (count) => count === 150,
  )
  first.ending.abort()
  await first.outcome
  ids.push(...(await log(50, 30)))
  await until(
    async () => seen.size,
    (count) => count === 200,
  )
  expect([...seen.keys()].toSorted()).toEqual(ids.toSorted())
  expect([...seen.values()].every((by) => by.length === 1)).toBe(true)
  second.ending.abort()
})

it("a member joins anew where the hub knows it no more", async () => {
  await makeGroup(hub, "rejoining", { partitions: 2, sessionSeconds: 2 })
  const seen: string[] = []
  const problems: string[] = []
  consume("rejoining", (id) => seen.push(id), { onRetry: ({ code }) => problems.push(code) })
  await log(1)
  await until(
    async () => seen.length,
    (count) => count === 1,
  )
  await until(
    () => lagOf("rejoining"), // what is not committed would come again
    (lag) => lag === 0,
  )
  await hub.database.work.query("delete from consumer_members where name = 'signalbox/client'")
  await until(
    async () => problems,
    (told) => told.includes("unknown_member"),
  )
  const [id] = await log(1)
  await until(
    async () => seen.length,
    (count) => count === 2,
  )
  expect(seen[1]).toBe(id)
})

it("over a restart of the hub, a run goes on by itself and misses nothing", async () => {
  await makeGroup(hub, "restarted", { partitions: 2 })
  const before = await startStreamNode(hub)
  const { url } = before
  const seen = new Set<string>()
  const ending = new AbortController()
  const run = createClient({ url, key: adminKey })
    .group("restarted", { signal: ending.signal })
    .run((event) => seen.add(event.id))
  const outcome = running(run, ending)
  const ids = await log(10)
  await until(
    async () => seen.size,
    (count) => count === 10,
  )
  await before.stop()
  ids.push(...(await log(10)))
  await startStreamNode(hub, Number(new URL(url).port))
  await until(
    async () => seen.size,
    (count) => count === 20,
  )
  expect([...seen].toSorted()).toEqual(ids.toSorted())
  ending.abort()
  expect(await outcome).toBe("ended") // while there is a hub to say goodbye to
})

it("gaps end the run unless it is told of them", async () => {
  const logged = await log(4)
  const { rows } = await hub.database.work.query<{ position: number }>(
    "select position from event_log where event_id = any($1::uuid[]) order by position",
    [logged],
  )
  const [start = 0, gone = 0] = rows.map(({ position }) => position)
  await hub.database.work.query("delete from event_log where position = $1", [gone])
  await hub.database.work.query("delete from events where id = $1", [logged[1]])
  await makeGroup(hub, "gaps", { partitions: 1, start: start - 1 })
  const fresh = await startStreamNode(hub)
  const groupOf = (options: GroupOptions) =>
    createClient({ url: fresh.url, key: adminKey }).group("gaps", options)
  const seen: string[] = []
  await expect(groupOf({}).run((event) => seen.push(event.id))).rejects.toMatchObject({
    code: "gone",
    status: 410,
  })
  const gaps: GroupGap[] = []
  const ending = new AbortController()
  void running(
    groupOf({ signal: ending.signal, onGap: (gap) => gaps.push(gap) }).run((event) => seen.push(event.id)),
    ending,
  )
  await until(
    async () => new Set(seen).size,
    (count) => count === 3,
  )
  expect(gaps).toEqual([{ partition: 0, from: gone, to: gone }])
})

it("what no other try would mend ends the run at once", async () => {
  await expect(client.group("none").run(() => {})).rejects.toMatchObject({ code: "not_found" })
  const stranger = createClient({ url: hub.url, key: "wrong" })
    .group("worker")
    .run(() => {})
  await expect(stranger).rejects.toBeInstanceOf(SignalboxClientError)
})

import { expect, onTestFinished, test } from "vitest"
import { createClient, type GroupOptions, type HandleGroupEvent } from "../../src/client/index.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { makeGroup } from "./support/members.ts"

const hub = await startTestHub()
const { database, json } = hub
const client = createClient({ url: hub.url, key: adminKey })

const post = (path: string, body: object) => json(path, { method: "POST", body: JSON.stringify(body) })
const shown = async (id: string) => (await json(`/api/v1/replays/${id}`)).body

function consume(group: string, handle: HandleGroupEvent, options: Partial<GroupOptions> = {}) {
  const ending = new AbortController()
  const run = client.group(group, { ...options, signal: ending.signal }).run(handle)
  const outcome = run.then(
    () => "ended",
    (error: unknown) => error,
  )
  const end = async () => {
    ending.abort()
    return outcome
  }
  onTestFinished(async () => void (await end()))
  return { end, outcome }
}

/** A group that has done all of some events. */
async function groupWithPast(name: string, count: number, entities = 5) {
  const type = `${name}.it.happened`
  await makeGroup(hub, name, { partitions: 2, filter: { types: [type] } })
  const logged = async (of: number): Promise<string[]> => {
    const specs = Array.from({ length: of }, (_, n) => ({ type, entity: `x:y:${n % entities}` }))
    return (await logEvents(database.work, specs)).map(({ id }) => id)
  }
  const ids = await logged(count)
  const seen: string[] = []
  const past = consume(name, (event) => void seen.push(event.id))
  await until(
    async () => seen.length,
    (length) => length === count,
  )
  await past.end()
  return { ids, logged }
}

async function replay(to: string): Promise<string> {
  const { status, body } = await post("/api/v1/replays", { to })
  expect(status).toBe(201)
  return body.id
}

const completed = (id: string) =>
  until(
    () => shown(id),
    ({ status }) => status === "completed",
    30_000,
  )

test("a run that asks for it handles what is replayed too, marked, in order, and never beside another of its entity", async () => {
  const { ids, logged } = await groupWithPast("asks", 12, 3)
  const id = await replay("asks")
  const replayed: string[] = []
  const fresh: string[] = []
  const running = new Set<string | null>()
  const marks = new Set<string>()
  let overlaps = 0
  const { end } = consume(
    "asks",
    async (event, { replay: isReplayed, replayId, attempt }) => {
      if (running.has(event.entity)) overlaps++
      running.add(event.entity)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running.delete(event.entity)
      marks.add(`${isReplayed} ${replayId} ${attempt}`)
      ;(isReplayed ? replayed : fresh).push(event.id)
    },
    { replays: true },
  )
  const newer = await logged(30)
  expect(await completed(id)).toMatchObject({ delivered: 12, failed: 0 })
  await until(
    async () => fresh.length,
    (count) => count === newer.length,
  )
  expect(overlaps).toBe(0)
  expect(marks).toEqual(new Set([`true ${id} 1`, "false null 1"]))
  expect(new Set(replayed)).toEqual(new Set(ids))
  expect(replayed).toHaveLength(ids.length)
  expect(new Set(fresh)).toEqual(new Set(newer))
  expect(await end()).toBe("ended")
})

test("a run that does not ask for it leaves it to members that do", async () => {
  await groupWithPast("leaves", 3)
  const id = await replay("leaves")
  const seen: string[] = []
  const { end } = consume("leaves", (event) => void seen.push(event.id))
  await until(
    () => shown(id),
    ({ outstanding }) => outstanding === 3,
  )
  expect(seen).toEqual([])
  await end()
  consume("leaves", (event) => void seen.push(event.id), { replays: true })
  expect(await completed(id)).toMatchObject({ delivered: 3 })
  expect(seen).toHaveLength(3)
})

test("what fails comes again from the hub, what is skipped does not, and a stop ends the run", async () => {
  const { ids } = await groupWithPast("fails", 3, 1)
  const id = await replay("fails")
  const attempts: string[] = []
  const handle: HandleGroupEvent = (event, { attempt }) => {
    attempts.push(`${ids.indexOf(event.id)} ${attempt}`)
    if (event.id === ids[0] && attempt === 1) throw new Error("not yet")
    if (event.id === ids[1]) throw new Error("never")
  }
  consume("fails", handle, {
    replays: true,
    onError: (_, event) => (event.id === ids[1] ? "skip" : "retry"),
  })
  expect(await completed(id)).toMatchObject({ delivered: 3, failed: 0 })
  expect(attempts.toSorted()).toEqual(["0 1", "0 2", "1 1", "2 1"])

  await groupWithPast("stops", 1)
  await replay("stops")
  const refusal = new Error("no more of this")
  const { outcome } = consume(
    "stops",
    () => {
      throw refusal
    },
    { replays: true, onError: () => "stop" },
  )
  expect(await outcome).toBe(refusal)
})

test("what a run had taken and not begun when it was ended goes to the next long before its time is over", async () => {
  const { ids } = await groupWithPast("ends", 3, 1)
  const id = await replay("ends")
  await until(
    () => shown(id),
    ({ outstanding }) => outstanding === 3,
  )
  const { promise: isBegun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>()
  const first: string[] = []
  const { end } = consume(
    "ends",
    async (event) => {
      first.push(event.id)
      begin()
      await mayEnd
    },
    { replays: true },
  )
  await isBegun
  const ended = end()
  letEnd()
  expect(await ended).toBe("ended")
  expect(first).toEqual([ids[0]])
  const heir: string[] = []
  consume("ends", (event, { attempt }) => void heir.push(`${event.id} ${attempt}`), { replays: true })
  expect(await completed(id)).toMatchObject({ delivered: 3, failed: 0 })
  expect(heir).toEqual([`${ids[1]} 2`, `${ids[2]} 2`])
})

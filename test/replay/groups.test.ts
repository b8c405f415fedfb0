import { expect, test } from "vitest"
import { createKey } from "../../src/auth/keys.ts"
import { afterOf, joinGroup, makeGroup, type HandMember } from "../groups/support/members.ts"
import { logEvents } from "../support/events.ts"
import { startTestHub, until } from "../support/hub.ts"

const hub = await startTestHub()
const { database, json } = hub

interface Replayed {
  partition: number
  replayId: string
  attempt: number
  event: { id: string; entity: string; position: number; replay: boolean }
}

const post = (path: string, body: object) => json(path, { method: "POST", body: JSON.stringify(body) })
const take = async ({ path }: HandMember, body: object = {}): Promise<Replayed[]> =>
  (await post(`${path}/replayed`, body)).body.events
const settle = async ({ path }: HandMember, body: object) =>
  (await post(`${path}/replayed/settle`, body)).body
const shown = async (id: string) => (await json(`/api/v1/replays/${id}`)).body
const replay = async (to: string): Promise<string> => {
  const { status, body } = await post("/api/v1/replays", { to })
  expect(status).toBe(201)
  return body.id
}

let made = 0
/** A group of one member that has done all of some events. */
async function groupWithPast(count: number) {
  const name = `group-${++made}`
  const type = `past${made}.it.happened`
  const path = await makeGroup(hub, name, { partitions: 2, filter: { types: [type] } })
  const member = await joinGroup(hub, path)
  const specs = Array.from({ length: count }, (_, n) => ({ type, entity: `x:y:${n % 5}` }))
  const ids = (await logEvents(database.work, specs)).map(({ id }) => id)
  const fetched = await until(
    () => member.fetch("wait=5"),
    ({ events }) => events.length === count,
  )
  expect(await member.commit(fetched.positions)).toBe(200)
  return { name, type, path, member, ids, positions: fetched.positions }
}

test("a group's members are handed replayed events of their partitions, marked, beside their cursors", async () => {
  const { name, path, member, ids, positions } = await groupWithPast(10)
  const id = await replay(name)
  const first = await until(
    () => take(member, { max: 4 }),
    ({ length }) => length > 0,
  )
  expect(
    first.every(({ event, replayId, attempt }) => event.replay && replayId === id && attempt === 1),
  ).toBe(true)
  expect(first.map(({ event }) => event.id)).toEqual(
    ids.filter((one) => first.some(({ event }) => event.id === one)),
  )
  // Of a partition nothing more is given out before that.
  const out = new Set(first.map(({ partition }) => partition))
  const others = await take(member)
  expect(others.every(({ partition }) => !out.has(partition))).toBe(true)
  const seen = new Set<string>([...first, ...others].map(({ event }) => event.id))
  expect(await settle(member, { done: [...seen] })).toEqual({ settled: seen.size })
  await until(
    async () => {
      const events = await take(member, { seconds: 1 })
      await settle(member, { done: events.map(({ event }) => event.id) })
      for (const { event } of events) seen.add(event.id)
      return shown(id)
    },
    ({ status }) => status === "completed",
    30_000,
  )
  expect(seen).toEqual(new Set(ids))
  expect(await shown(id)).toMatchObject({
    consumer: { kind: "group" },
    delivered: 10,
    failed: 0,
    underWay: 0,
  })
  // The cursors are where they were, and nothing comes by them.
  expect((await member.fetch(`wait=0&after=${afterOf(positions)}`)).events).toEqual([])
  expect((await json(path)).body.lag).toBe(0)
})

test("what a member that is gone had taken is given to the one that comes after it", async () => {
  const { name, path, member, ids } = await groupWithPast(6)
  const id = await replay(name)
  const taken = await until(
    () => take(member, { seconds: 1 }),
    ({ length }) => length > 0,
  )
  await member.leave()
  const heir = await joinGroup(hub, path)
  const seen = new Map<string, number>()
  await until(
    async () => {
      await heir.heartbeat()
      const events = await take(heir)
      for (const { event, attempt } of events) seen.set(event.id, attempt)
      await settle(heir, { done: events.map(({ event }) => event.id) })
      return shown(id)
    },
    ({ status }) => status === "completed",
    30_000,
  )
  expect(new Set(seen.keys())).toEqual(new Set(ids))
  expect(taken.every(({ event }) => seen.get(event.id) === 2)).toBe(true)
  expect((await post(`${member.path}/replayed`, {})).status).toBe(404)
})

test("an event that kills whoever takes it becomes a dead letter, and none of those taken with it does", async () => {
  const { name, member, ids } = await groupWithPast(6)
  const id = await replay(name)
  await until(
    () => shown(id),
    ({ outstanding }) => outstanding === 6,
  )
  const [deadly] = ids
  await until(
    async () => {
      for (const { event } of await take(member)) {
        if (event.id === deadly) break
        await settle(member, { done: [event.id] })
      }
      // The time has passed for which it was the member's that died.
      await database.work.query(
        "update event_deliveries set next_attempt_at = now() where replay_id = $1 and status = 'retrying'",
        [id],
      )
      return shown(id)
    },
    ({ status }) => status === "completed",
    20_000,
  )
  expect(await shown(id)).toMatchObject({ delivered: 5, failed: 1 })
  const { body } = await json(`/api/v1/dead-letters?kind=group&consumer=${name}`)
  expect(body.deadLetters).toMatchObject([{ eventId: deadly, attempts: 5 }])
})

test("what fails again and again becomes a dead letter, and holds back what follows it no longer", async () => {
  const { name, member, ids } = await groupWithPast(1)
  const id = await replay(name)
  let attempts = 0
  await until(
    async () => {
      const [one] = await take(member)
      if (one !== undefined) {
        attempts = one.attempt
        await settle(member, { failed: [{ eventId: one.event.id, error: "no use" }] })
        await database.work.query(
          "update event_deliveries set next_attempt_at = now() where event_id = $1 and status = 'retrying'",
          [one.event.id],
        )
      }
      return shown(id)
    },
    ({ status }) => status === "completed",
    30_000,
  )
  expect(attempts).toBe(5)
  expect(await shown(id)).toMatchObject({ delivered: 0, failed: 1 })
  const { body } = await json(`/api/v1/dead-letters?kind=group&consumer=${name}`)
  expect(body.deadLetters).toMatchObject([{ eventId: ids[0], attempts: 5, error: "no use" }])
})

test("a paused replay hands out nothing, and a cancelled one takes back what nobody settled", async () => {
  const { name, member } = await groupWithPast(4)
  const id = await replay(name)
  await until(
    () => shown(id),
    ({ outstanding }) => outstanding === 4,
  )
  await post(`/api/v1/replays/${id}/pause`, {})
  expect(await take(member)).toEqual([])
  await post(`/api/v1/replays/${id}/resume`, {})
  const [one] = await take(member, { max: 1 })
  await json(`/api/v1/replays/${id}`, { method: "DELETE" })
  await until(
    () => shown(id),
    ({ outstanding }) => outstanding === 0,
  )
  expect(await settle(member, { done: [one?.event.id] })).toEqual({ settled: 0 })
  expect(await take(member)).toEqual([])
})

test("a key of another tenant, or without the scope, is handed nothing", async () => {
  const { member } = await groupWithPast(1)
  const other = await createKey(database.work, { tenant: "other", name: "t", scopes: ["admin"] })
  const reader = await createKey(database.work, { tenant: "default", name: "r", scopes: ["events:read"] })
  const ask = (key: string, path: string) =>
    json(`${member.path}/${path}`, { method: "POST", key, body: "{}" })
  expect((await ask(other.key, "replayed")).status).toBe(404)
  expect((await ask(other.key, "replayed/settle")).status).toBe(404)
  expect((await ask(reader.key, "replayed")).status).toBe(403)
})

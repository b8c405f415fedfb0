import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { afterOf, joinGroup, makeGroup } from "./support/members.ts"
import { startStreamNode } from "./support/stream-node.ts"

const hub = await startTestHub()
const log = (...events: Parameters<typeof logEvents>[1]) => logEvents(hub.database.work, events)
const groups = "/api/v1/consumer-groups"

it("a group is made, listed, shown and removed", async () => {
  const filter = { types: ["thing.*"] }
  const made = await hub.json(groups, {
    method: "POST",
    body: JSON.stringify({ name: "orders", filter, partitions: 4, sessionSeconds: 5 }),
  })
  expect([made.status, made.body]).toEqual([
    201,
    expect.objectContaining({
      name: "orders",
      stream: "all_events",
      filter,
      partitionCount: 4,
      sessionSeconds: 5,
    }),
  ])
  expect((await hub.json(groups, { method: "POST", body: '{"name":"orders"}' })).status).toBe(409)
  expect((await hub.json(`${groups}?limit=1`)).body.groups).toEqual([made.body])
  const shown = await hub.json(`${groups}/orders`)
  expect(shown.body).toMatchObject({ lag: 0, members: [] })
  expect(shown.body.partitions).toHaveLength(4)
  expect((await hub.json(`${groups}/orders`, { method: "DELETE" })).status).toBe(204)
  expect((await hub.json(`${groups}/orders`)).status).toBe(404)
  expect((await hub.json(`${groups}/orders`, { method: "DELETE" })).status).toBe(404)
})

it("a group has as many partitions as its stream says, unless it says so itself", async () => {
  const stream = { name: "dealt", filter: { types: ["dealt.*"] }, partitions: 12 }
  expect((await hub.json("/api/v1/streams", { method: "POST", body: JSON.stringify(stream) })).status).toBe(
    201,
  )
  const countOf = async (body: object) =>
    (await hub.json(groups, { method: "POST", body: JSON.stringify(body) })).body.partitionCount
  expect(await countOf({ name: "dealt-as-told", stream: "dealt" })).toBe(12)
  expect(await countOf({ name: "dealt-otherwise", stream: "dealt", partitions: 3 })).toBe(3)
  expect(await countOf({ name: "dealt-as-usual" })).toBe(8)
})

it.each([
  [{ name: "x", partitions: 65 }, "partitions"],
  [{ name: "x", stream: "none" }, "stream"],
  [{ name: "x", filter: { typs: [] } }, "typs"],
  [{ name: "x", start: 1e9 }, "beyond the end"],
  [{ name: "x", sessionSeconds: 0.1 }, "sessionSeconds"],
  [{ name: "no spaces" }, "name"],
  [{ name: "x", more: 1 }, "more"],
])("not with %o", async (body, words) => {
  const answer = await hub.json(groups, { method: "POST", body: JSON.stringify(body) })
  expect(answer.status).toBe(400)
  expect(answer.body.detail).toContain(words)
})

it("what is not committed comes again, what is committed does not", async () => {
  const group = await makeGroup(hub, "again", { partitions: 2 })
  const member = await joinGroup(hub, group)
  const [first, second] = await log({ entity: "thing:1" }, { entity: "thing:1" })
  const fetched = await member.fetch("wait=5")
  expect(fetched.events.map(({ event }) => event.id)).toEqual([first?.id, second?.id])
  expect((await member.fetch()).events).toEqual(fetched.events)
  expect((await member.fetch(`wait=0&after=${afterOf(fetched.positions)}`)).events).toEqual([])
  expect(await member.commit(fetched.positions)).toBe(200)
  expect((await member.fetch()).events).toEqual([])
  const [third] = await log({ entity: "thing:1" })
  expect((await member.fetch("wait=5")).events.map(({ event }) => event.id)).toEqual([third?.id])
  expect(await member.leave()).toBe(204)

  const heir = await joinGroup(hub, group)
  const inherited = await heir.fetch("wait=5")
  expect(inherited.events.map(({ event }) => event.id)).toEqual([third?.id])
  expect(await member.leave()).toBe(404)
})

it("a batch is bounded by events and by bytes, and the next goes on where it ended", async () => {
  const group = await makeGroup(hub, "bounded", { partitions: 3 })
  const member = await joinGroup(hub, group)
  const pad = "x".repeat(700)
  const logged = await log(
    ...Array.from({ length: 7 }, (_, n) => ({ entity: `thing:${n}`, payload: { pad } })),
  )
  const seen: string[] = []
  let after = ""
  for (const query of ["max=2", "bytes=1024", "max=3", "max=100"]) {
    const { events, positions } = await member.fetch(`wait=5&${query}&after=${after}`)
    seen.push(...events.map(({ event }) => event.id))
    after = afterOf(positions)
  }
  expect(seen).toEqual(logged.map(({ id }) => id))
})

it("a poll that waits is answered as soon as an event of its own comes", async () => {
  const group = await makeGroup(hub, "waiting", { filter: { types: ["wanted.*"] } })
  const member = await joinGroup(hub, group)
  const waiting = member.fetch("wait=30")
  await log({ type: "other.one" })
  const [wanted] = await log({ type: "wanted.one" })
  expect((await waiting).events.map(({ event }) => event.id)).toEqual([wanted?.id])
})

it("members share the partitions evenly, and one who comes gets its share once it is given back", async () => {
  const group = await makeGroup(hub, "shared", { partitions: 4 })
  const first = await joinGroup(hub, group, "first")
  expect((await first.heartbeat()).assignments.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
  await log(...Array.from({ length: 12 }, (_, n) => ({ entity: `thing:${n}` })))
  const inHand = await first.fetch("wait=5")
  expect(inHand.events).toHaveLength(12)

  const second = await joinGroup(hub, group, "second")
  expect((await second.heartbeat()).assignments).toEqual([])
  const told = await first.heartbeat("wait=5&known=x")
  expect(told.revoking).toHaveLength(2)
  const kept = inHand.positions.filter(({ partition }) => !told.revoking.includes(partition))
  const during = await first.fetch(`wait=0&after=${afterOf(inHand.positions)}`)
  expect(during.revoking).toEqual(told.revoking)
  expect(during.positions.map(({ partition }) => partition)).toEqual(kept.map(({ partition }) => partition))

  const given = inHand.positions.filter(({ partition }) => told.revoking.includes(partition))
  expect(
    await first.commit(
      given,
      given.map(({ partition, generation }) => ({ partition, generation })),
    ),
  ).toBe(200)
  const taken = await until(
    () => second.heartbeat("wait=1&known="),
    ({ assignments }) => assignments.length === 2,
  )
  expect(taken.assignments.map(({ partition }) => partition)).toEqual(told.revoking)
  expect((await second.fetch()).events).toEqual([])
  expect(await first.commit(given)).toBe(409)
  const shown = await hub.json(group)
  expect(
    shown.body.members.map((one: { name: string; partitions: number[] }) => [
      one.name,
      one.partitions.length,
    ]),
  ).toEqual([
    ["first", 2],
    ["second", 2],
  ])
})

it("a member that was taken for dead commits nothing, and what it had in hand is handed on", async () => {
  const group = await makeGroup(hub, "fenced", { partitions: 1, sessionSeconds: 2 })
  const slow = await joinGroup(hub, group, "slow")
  const logged = await log({ entity: "thing:1" }, { entity: "thing:2" })
  const inHand = await slow.fetch("wait=5")
  expect(inHand.events).toHaveLength(2)
  const next = await joinGroup(hub, group, "next")
  const got = await until(
    () => next.fetch("wait=5"),
    ({ events }) => events.length > 0,
  )
  expect(got.events.map(({ event }) => event.id)).toEqual(logged.map(({ id }) => id))
  const refused = await hub.json(`${slow.path}/commit`, {
    method: "POST",
    body: JSON.stringify({ positions: inHand.positions }),
  })
  expect(refused.status).toBe(409)
  expect(refused.body).toMatchObject({ code: "stale_generation", partitions: [0] })
  const { body } = await hub.json(group)
  expect(body.partitions[0]).toMatchObject({ owner: { id: next.id, name: "next" }, lag: expect.any(Number) })
  expect(body.partitions[0].committed).toBeLessThan(inHand.positions[0]?.position ?? 0)
})

it("where one of several positions is stale, none is committed", async () => {
  const group = await makeGroup(hub, "together", { partitions: 2 })
  const member = await joinGroup(hub, group)
  await log(...Array.from({ length: 6 }, (_, n) => ({ entity: `thing:${n}` })))
  const { positions } = await member.fetch("wait=5")
  const [one, other] = positions
  expect(await member.commit([one!, { ...other!, generation: other!.generation - 1 }])).toBe(409)
  expect((await member.fetch()).events).toHaveLength(6)
  expect(await member.commit([{ ...one!, position: 1e9 }])).toBe(400)
  expect(await member.commit([one!, one!])).toBe(400)
  expect(await member.commit([one!])).toBe(200)
  expect((await member.fetch()).events.length).toBeLessThan(6)
})

it("where retention has passed the cursor, the member is told, and goes on once it says so", async () => {
  const logged = await log(
    { entity: "thing:1" },
    { entity: "thing:2" },
    { entity: "thing:3" },
    { entity: "thing:4" },
  )
  const [first] = logged
  const place = await positionsOf(logged)
  await hub.database.work.query("delete from event_log where event_id = any($1)", [
    [logged[1]?.id, logged[2]?.id],
  ])
  await makeGroup(hub, "gaps-read", { partitions: 2, start: (place[0] ?? 0) - 1 })
  const late = await joinGroup(hub, `${groups}/gaps-read`)
  const second = await askOther() // the first has in memory what is gone
  const { body } = await second.json(`${late.path}/events?wait=5`)
  expect(body.events.map(({ event }: { event: { id: string } }) => event.id)).toEqual([first?.id])
  expect(await late.commit(body.positions)).toBe(200)
  const refused = await second.json(`${late.path}/events?wait=5`)
  expect(refused.status).toBe(410)
  const [, from, to] = place
  expect(refused.body.gaps).toEqual([0, 1].map((partition) => ({ partition, from, to })))
  const told = await second.json(`${late.path}/events?wait=5&gaps=tell`)
  expect(told.body.gaps).toEqual(refused.body.gaps)
  expect(await late.commit(refused.body.positions)).toBe(200)
  const { body: rest } = await second.json(`${late.path}/events?wait=5`)
  expect(rest.events.map(({ event }: { event: { id: string } }) => event.id)).toEqual([logged[3]?.id])
})

it("whichever process is asked, what a member holds is told as it is now", async () => {
  const group = await makeGroup(hub, "asked", { partitions: 2 })
  const other = await askOther()
  const [first, second] = [await joinGroup(hub, group), await joinGroup(hub, group)]
  for (const member of [first, second]) {
    await member.heartbeat()
    await other.json(`${member.path}/heartbeat`, "POST")
  }
  await sleep(1_100) // of what happened by now, each process has heard
  expect((await first.heartbeat()).assignments).toHaveLength(1)
  expect((await other.json(second.path, "DELETE")).status).toBe(204)
  const elsewhere = await other.json(`${first.path}/heartbeat`, "POST")
  expect(elsewhere.body.assignments).toHaveLength(2)
  expect((await first.heartbeat()).assignments).toEqual(elsewhere.body.assignments)
})

it("keys need the scope, and a tenant does not see another's groups", async () => {
  const group = await makeGroup(hub, "private")
  const keyWith = async (scopes: string[], tenant?: string): Promise<string> => {
    const headers: Record<string, string> = tenant === undefined ? {} : { "x-signalbox-tenant": tenant }
    const body = JSON.stringify({ name: "test", scopes, ...(tenant === undefined ? {} : { tenant }) })
    return (await hub.json("/api/v1/keys", { method: "POST", body, headers })).body.key
  }
  const reader = await keyWith(["streams:read", "events:read"])
  expect((await hub.json(`${group}/members`, { method: "POST", key: reader })).status).toBe(403)
  expect((await hub.json(groups, { method: "POST", key: reader, body: '{"name":"mine"}' })).status).toBe(403)
  expect((await hub.json(group, { key: reader })).status).toBe(200)
  const consumer = await keyWith(["groups:consume"])
  expect((await hub.json(`${group}/members`, { method: "POST", key: consumer })).status).toBe(201)
  expect((await hub.json(group, { key: consumer })).status).toBe(403)
  const stranger = { headers: { "x-signalbox-tenant": "acme" } }
  const member = await joinGroup(hub, group)
  expect((await hub.json(group, stranger)).status).toBe(404)
  expect((await hub.json(groups, stranger)).body.groups).toEqual([])
  expect((await hub.json(`${member.path}/events?wait=0`, stranger)).status).toBe(404)
  const body = JSON.stringify({ positions: [{ partition: 0, generation: 1, position: 0 }] })
  expect((await hub.json(`${member.path}/commit`, { method: "POST", body, ...stranger })).status).toBe(404)
})

async function positionsOf(events: readonly { id: string }[]): Promise<number[]> {
  const { rows } = await hub.database.work.query<{ position: number }>(
    "select position from event_log where event_id = any($1) order by position",
    [events.map(({ id }) => id)],
  )
  return rows.map(({ position }) => position)
}

/** A further node, as a test asks it. */
async function askOther() {
  const other = await startStreamNode(hub)
  return {
    async json(path: string, method = "GET") {
      const headers = { authorization: `Bearer ${adminKey}` }
      const response = await fetch(other.url + path, { method, headers })
      if (response.status === 204) return { status: 204, body: null }
      // oxlint-disable-next-line typescript/no-explicit-any
      const body: any = await response.json()
      return { status: response.status, body }
    },
  }
}

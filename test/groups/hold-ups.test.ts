import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, onTestFinished } from "vitest"
import { createClient } from "../../src/client/index.ts"
import { partitionOf } from "../../src/core/partition-of.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"

const hub = await startTestHub()
const client = createClient({ url: hub.url, key: adminKey })

async function log(): Promise<string> {
  const [event] = await logEvents(hub.database.work, [{ entity: "thing:1" }])
  return event?.id ?? ""
}

/** Ends a run with the test. */
function running(run: Promise<void>, ending: AbortController): void {
  onTestFinished(async () => {
    ending.abort()
    await run
  })
}

/** One that waits for news, and does not only ask whether the session lasts. */
const waitingHeartbeat = /heartbeat\?.*\bwait=(?!0(?:&|$))/

/** The client with a fetch that may hold back the answers of heartbeats. */
function clientHolding(hold: (url: string) => Promise<void> | undefined) {
  return createClient({
    url: hub.url,
    key: adminKey,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      await hold(url)
      return response
    },
  })
}

it("after a silence of more than a session, an event is handled though no heartbeat is answered", async () => {
  await makeGroup(hub, "silent", { partitions: 1, sessionSeconds: 2 })
  const over = Promise.withResolvers<void>()
  const ending = new AbortController()
  const seen: string[] = []
  const run = clientHolding((url) => (waitingHeartbeat.test(url) ? over.promise : undefined))
    .group("silent", { signal: ending.signal })
    .run((event) => seen.push(event.id))
  running(run, ending)
  onTestFinished(() => over.resolve())
  await sleep(2_500)
  const id = await log()
  await until(
    async () => seen,
    () => seen.length > 0,
    8_000,
  )
  expect(seen).toEqual([id])
})

it("an old answer that comes late takes no partition away that came meanwhile", async () => {
  const group = await makeGroup(hub, "late", { partitions: 1 })
  const before = await joinGroup(hub, group)
  expect((await before.heartbeat()).assignments).toHaveLength(1)
  const late = Promise.withResolvers<void>()
  let heartbeats = 0
  const ending = new AbortController()
  const seen: string[] = []
  const run = clientHolding((url) =>
    waitingHeartbeat.test(url) && ++heartbeats === 1 ? late.promise : undefined,
  )
    .group("late", { signal: ending.signal })
    .run((event) => seen.push(event.id))
  running(run, ending)
  await until(
    async () => heartbeats,
    (count) => count === 1,
  )
  await before.leave()
  const ids = [await log()]
  await until(
    async () => seen.length,
    (count) => count === 1,
  )
  late.resolve()
  await until(
    async () => heartbeats,
    (count) => count > 1,
  )
  ids.push(await log())
  await until(
    async () => seen.length,
    (count) => count === 2,
  )
  expect(seen).toEqual(ids)
})

it("an event that fails for ever holds up its own partition and no other", async () => {
  await makeGroup(hub, "poisoned", { partitions: 2 })
  const ending = new AbortController()
  const seen = new Set<string>()
  let failures = 0
  const run = client.group("poisoned", { batch: 4, signal: ending.signal }).run((event) => {
    if (event.entity !== "thing:poison") return seen.add(event.id)
    failures++
    throw new Error("never")
  })
  running(run, ending)
  const poison = Array.from({ length: 12 }, () => ({ entity: "thing:poison" }))
  await logEvents(hub.database.work, poison)
  await until(
    async () => failures,
    (count) => count > 0,
  )
  const spread = Array.from({ length: 40 }, (_, n) => ({ entity: `other:${n}` }))
  const others = await logEvents(hub.database.work, spread)
  const free = others.filter(({ entity }) => partitionOf(entity ?? "", 2) !== partitionOf("thing:poison", 2))
  expect(free.length).toBeGreaterThan(8)
  await until(
    async () => free.filter(({ id }) => !seen.has(id)).length,
    (left) => left === 0,
  )
  expect(seen.size).toBe(free.length)
})

it("who joins and is never heard of again keeps its share from the others for a moment only", async () => {
  const group = await makeGroup(hub, "ghost", { partitions: 2, sessionSeconds: 600 })
  const ghost = await joinGroup(hub, group, "ghost")
  const heir = await joinGroup(hub, group, "heir")
  expect((await heir.heartbeat()).assignments).toHaveLength(1)
  await until(
    () => heir.heartbeat("wait=1"),
    ({ assignments }) => assignments.length === 2,
  )
  expect((await ghost.heartbeat()).assignments).toEqual([]) // late, and welcome
})

it("of a member whose connections broke, a last answer that nobody heard is no sign of life", async () => {
  const group = await makeGroup(hub, "unheard", { partitions: 1, sessionSeconds: 600 })
  const member = await joinGroup(hub, group, "broken")
  const { version, assignments } = await member.heartbeat()
  expect(assignments).toHaveLength(1)
  const breaking = new AbortController()
  const { signal } = breaking
  const held = hub.request(`${member.path}/heartbeat?wait=60&known=${version}`, { method: "POST", signal })
  const fetching = member.fetch("wait=2")
  await sleep(500)
  breaking.abort()
  await expect(held).rejects.toMatchObject({ name: "AbortError" })
  expect((await fetching).events).toEqual([])
  const heir = await joinGroup(hub, group, "heir")
  await until(
    () => heir.heartbeat("wait=1"),
    (told) => told.assignments.length === 1,
  )
})

import { expect, test } from "vitest"
import { createAllowance, type Allowance } from "../../src/core/allowance.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const allowances = new Map<string, Allowance>()
const server = await streamServer(database, { allowance: (keyId) => allowances.get(keyId) ?? null })

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ payload: { n } }))
const from = (position: number, count: number) => Array.from({ length: count }, (_, n) => position + 1 + n)

test("streams of a key are paced, together, and skip nothing; those of others are not", async () => {
  allowances.set("paced", createAllowance(40))
  const paced = [
    await server.open("", { "x-key-id": "paced" }),
    await server.open("", { "x-key-id": "paced" }),
  ]
  const free = await server.open()
  await logEvents(database.work, many(100))
  await free.count(100)
  // Both have had 40 at most at once, and what a part of a second brings: they are far from the end.
  expect(paced.every(({ messages }) => messages.length < 100)).toBe(true)
  await Promise.all(paced.map(async (client) => client.count(100)))
  for (const client of paced) expect(client.positions()).toEqual(from(0, 100))

  // Caught up, they are live again: one event is within what the key may have.
  await logEvents(database.work, many(1))
  await Promise.all(paced.map(async (client) => client.count(101)))
  expect(server.streaming.connections.stats().dropped).toBe(0)
  for (const client of [...paced, free]) client.cut()
})

test("history is paced like news, stretch by stretch, and heartbeats tell how far it has come", async () => {
  allowances.set("trickle", createAllowance(20))
  const client = await server.open("?after=0&heartbeat=1", { "x-key-id": "trickle" })
  await client.count(15)
  expect(client.messages.length).toBeLessThan(101)
  const info = server.streaming.connections.list(null).find(({ keyId }) => keyId === "trickle")
  expect(info?.catchingUp).toBe(true)
  await client.count(101)
  expect(client.positions()).toEqual(from(0, 101))
  client.cut()
})

test("a stream that is cut while it is paced resumes where it was", async () => {
  allowances.set("cut", createAllowance(30))
  const seen: number[] = []
  let last = 0
  while (seen.length < 101) {
    const client = await server.open(`?after=${last}`, { "x-key-id": "cut" })
    await client.count(Math.min(35, 101 - seen.length))
    client.cut()
    seen.push(...client.positions())
    last = seen.at(-1) ?? 0
  }
  expect(seen).toEqual(from(0, 101))
})

test("a process stops at once although streams wait for their allowance", async () => {
  const own = await streamServer(database, { allowance: () => createAllowance(0.01) })
  const client = await own.open("?after=0")
  await client.count(1)
  await own.stop()
  await client.closed
  expect(client.messages.at(-1)?.type).toBe("end")
})

import { expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()

it("a key that has its share of streams is told when to try again, and others are let in", async () => {
  const server = await streamServer(database, { maxClientsByKey: 2 })
  const first = await server.open("", { "x-key-id": "a" })
  await server.open("", { "x-key-id": "a" })
  const refused = await server.open("", { "x-key-id": "a" })
  expect(refused.response.statusCode).toBe(429)
  expect(Number(refused.response.headers["retry-after"])).toBeGreaterThan(0)
  expect((await server.open("", { "x-key-id": "b" })).response.statusCode).toBe(200)
  first.cut()
  await expect
    .poll(async () => {
      const again = await server.open("", { "x-key-id": "a" })
      return again.response.statusCode
    })
    .toBe(200)
  await server.stop()
})

it("an address that has its share of streams is refused whatever its keys", async () => {
  const server = await streamServer(database, { maxClientsByAddress: 2 })
  await server.open("", { "x-key-id": "a" })
  await server.open("", { "x-key-id": "b" })
  expect((await server.open("", { "x-key-id": "c" })).response.statusCode).toBe(429)
  await server.stop()
})

it("no key may take more than the half of all streams", async () => {
  const server = await streamServer(database, { maxClients: 4 })
  await server.open()
  await server.open()
  expect((await server.open()).response.statusCode).toBe(429)
  await server.stop()
})

it("a key may have only so many different conditions looked at, and as many values at a path as it likes", async () => {
  const server = await streamServer(database, { maxConditionsByKey: 2 })
  const open = async (where: object, keyId = "a") => {
    const filter = encodeURIComponent(JSON.stringify({ where }))
    return server.open(`?filter=${filter}`, { "x-key-id": keyId })
  }
  const statusOf = async (where: object, keyId = "a") => (await open(where, keyId)).response.statusCode
  for (const ref of ["one", "two", "three"]) expect(await statusOf({ "payload.ref": ref })).toBe(200)
  const first = await open({ title: { $regex: "^a" } })
  const same = await open({ title: { $regex: "^a" } })
  expect(same.response.statusCode).toBe(200)

  const refused = await open({ title: { $regex: "^b" } })
  expect(refused.response.statusCode).toBe(429)
  expect(Number(refused.response.headers["retry-after"])).toBeGreaterThan(0)
  expect(await statusOf({ "payload.other": "one" })).toBe(429)
  expect(await statusOf({ "payload.ref": { $in: ["four"] } })).toBe(200)
  expect((await server.open("?types=github.*", { "x-key-id": "a" })).response.statusCode).toBe(200)
  expect(await statusOf({ title: { $regex: "^b" } }, "b")).toBe(200)
  expect(server.streaming.connections.stats().refusedBy).toEqual({ conditions: 2 })

  first.cut()
  await first.closed
  expect(await statusOf({ title: { $regex: "^b" } })).toBe(429) // the other one is still open
  same.cut()
  await expect.poll(() => statusOf({ title: { $regex: "^b" } })).toBe(200)
  await server.stop()
})

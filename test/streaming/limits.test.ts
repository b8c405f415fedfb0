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

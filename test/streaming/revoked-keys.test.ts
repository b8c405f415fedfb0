import { expect, test } from "vitest"
import { createKey } from "../../src/auth/keys.ts"
import { deadApiKeys, revokeApiKey } from "../../src/store/api-keys.ts"
import { createPool } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const db = database.work
const server = await streamServer(database, { keyCheckMs: 50 })

async function newKey(expiresAt: Date | null = null): Promise<string> {
  const { row } = await createKey(db, { tenant: "default", name: "k", scopes: ["streams:read"], expiresAt })
  return row.id
}

const openWith = async (keyId: string) => server.open("", { "x-key-id": keyId })

test("a key that is revoked or expires ends its streams; those of other keys go on", async () => {
  const revoked = await newKey()
  const expiring = await newKey()
  const alive = await newKey()
  const others = [await openWith(alive), await openWith("admin")]
  const first = await openWith(revoked)
  const second = await openWith(revoked)
  const third = await openWith(expiring)
  await logEvents(db, [{ payload: { n: 1 } }])
  await Promise.all([first, second, third, ...others].map(async (client) => client.count(1)))

  await revokeApiKey(db, null, revoked)
  await Promise.all([first.closed, second.closed])
  expect(first.response.complete).toBe(true) // ended, not cut
  expect(third.response.complete).toBe(false)
  await db.query("update api_keys set expires_at = now() where id = $1", [expiring])
  await third.closed

  await logEvents(db, [{ payload: { n: 2 } }])
  await Promise.all(others.map(async (client) => client.count(2)))
  expect(first.messages.slice(1).map(({ type, data }) => [type, JSON.parse(data)])).toEqual([
    ["end", expect.objectContaining({ reason: "key_ended" })],
  ])
  for (const client of others) client.cut()
})

test("while the keys cannot be read nothing is ended, and once they can the dead one is", async () => {
  const key = await newKey()
  const client = await openWith(key)
  const owner = createPool(database.url, { max: 1 })
  await owner.query("alter table api_keys rename to api_keys_away")
  try {
    await owner.query("update api_keys_away set revoked_at = now() where id = $1", [key])
    await new Promise((done) => setTimeout(done, 300))
    expect(client.response.complete).toBe(false)
    await logEvents(db, [{ payload: { n: 3 } }])
    await client.count(1)
  } finally {
    await owner.query("alter table api_keys_away rename to api_keys")
    await owner.end()
  }
  await client.closed
  expect(client.response.complete).toBe(true)
})

test("dead are the revoked, the expired and the deleted, and never the admin key", async () => {
  const revoked = await newKey()
  await revokeApiKey(db, null, revoked)
  const expired = await newKey(new Date(Date.now() - 1_000))
  const deleted = await newKey()
  await db.query("delete from api_keys where id = $1", [deleted])
  const alive = [await newKey(), await newKey(new Date(Date.now() + 60_000)), "admin"]
  const dead = await deadApiKeys(db, [revoked, expired, deleted, ...alive])
  expect(dead.toSorted()).toEqual([revoked, expired, deleted].toSorted())
  expect(await deadApiKeys(db, ["admin"])).toEqual([])
})

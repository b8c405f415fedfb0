import { expect, test } from "vitest"
import { rewrapSecrets } from "../../src/sources/rewrap.ts"
import { createSealing } from "../../src/sources/sealing.ts"
import { webhookSecrets } from "../../src/store/webhook-secrets.ts"
import { testDatabase } from "../support/database.ts"
import { testKeyring } from "../support/sources.ts"
import { subscribe } from "./machine.ts"

const database = await testDatabase()

test("a secret lies sealed, opens in its own row alone, and comes under a new key with those of sources", async () => {
  const { id } = await subscribe(database, "sealed", "https://example.com/")
  const [secret] = await webhookSecrets(database.work, [id], new Date())
  const place = { id: secret?.id ?? "", ownerId: id }
  const open = async (key: number, at = place) => {
    const [row] = await webhookSecrets(database.work, [id], new Date())
    return row && createSealing(testKeyring(key), "webhook").open(row, at)
  }
  const value = await open(1)
  expect(value).toMatch(/^whsec_/)
  expect(await open(1, { ...place, ownerId: place.id })).toBeUndefined()
  expect(await open(2)).toBeUndefined()
  const { rows } = await database.work.query<{ dump: string }>(
    "select row_to_json(s)::text as dump from webhook_secrets s",
  )
  expect(rows[0]?.dump).not.toContain(Buffer.from(value ?? "").toString("hex"))

  const signal = new AbortController().signal
  expect(await rewrapSecrets(database.work, testKeyring(2, 1), { signal })).toMatchObject({
    rewrapped: 1,
    unknown: [],
    damaged: [],
  })
  expect(await open(2)).toBe(value)
  expect(await open(1)).toBeUndefined()
})

test("a reader sees its own tenant's subscriptions and attempts, and no secret at all", async () => {
  await subscribe(database, "mine", "https://example.com/")
  const seen = async (tenant: string, table: string) => {
    const client = await database.read.connect()
    try {
      await client.query("begin")
      await client.query("select set_config('signalbox.tenant', $1, true)", [tenant])
      const { rowCount } = await client.query(`select from ${table}`)
      return rowCount
    } finally {
      await client.query("rollback")
      client.release()
    }
  }
  expect(await seen("default", "webhook_subscriptions")).toBeGreaterThan(0)
  expect(await seen("other", "webhook_subscriptions")).toBe(0)
  await expect(seen("default", "webhook_secrets")).rejects.toThrow("permission denied")
})

import { expect, it } from "vitest"
import { createRepository, takeIn, testWriter } from "../live/repository.ts"
import { testDatabase } from "../support/database.ts"
import { entityApi } from "../support/entity-api.ts"

const database = await testDatabase()
const repository = createRepository()
repository.deploy(1, repository.grow("main", "Begin for good"))
const before = new Date(Date.UTC(2026, 10, 22) + (repository.deliveries.length - 1) * 1000).toISOString()
repository.squash(repository.open(42, "ENG-123: Limit requests"))
const tenant = await takeIn(testWriter(database), repository.deliveries)

const app = entityApi(database, tenant)

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await app.request(`/api/v1/entities/${path}`)
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, unknown>
}

const answers = ["", "/timeline", "/links", "/status"]
const things = ["linear:issue:ENG-123", "github:pull_request:acme%2Fapi%2342"]

it.each(things.flatMap((thing) => answers.map((answer) => thing + answer)))(
  "%s, asked before the thing was known, says when it was first heard of",
  async (path) => {
    const { firstHeardAt } = await get(`${path}?asOf=${before}`)
    expect(firstHeardAt).toMatch(/^2026-11-22T00:00:\d\d\.\d{3}Z$/)
    expect(String(firstHeardAt) > before).toBe(true)
    expect(await get(`${path}?asOf=${String(firstHeardAt)}`)).not.toHaveProperty("firstHeardAt")
    expect(await get(path)).not.toHaveProperty("firstHeardAt")
  },
)

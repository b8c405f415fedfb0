import { expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { asker } from "./asked.ts"
import { createRepository, testWriter } from "./repository.ts"

const database = await testDatabase()
const after = asker(database, testWriter(database))

/** When `takeIn` takes in the next delivery, and so many minutes later. */
const atArrival = ({ deliveries }: ReturnType<typeof createRepository>, minutes: number) =>
  new Date(Date.UTC(2026, 10, 22) + deliveries.length * 1000 + minutes * 60_000)

it("a deployment that says it happens in the future keeps no later one from going live", async () => {
  const repository = createRepository()
  const first = repository.grow("main", "Begin for good")
  const second = repository.grow("main", "Go on for good")
  const own = { project: "api", repo: { fullName: "acme/api" } }
  repository.tell({ id: "d-1", ...own, sha: first.sha, occurredAt: "2062-03-01T00:00:00Z" })
  const since = atArrival(repository, 5)
  repository.tell({ id: "d-2", ...own, sha: second.sha, occurredAt: since.toISOString() })
  const { status } = await after(repository)
  expect(await status(`github:commit:${second.sha}`)).toMatchObject({
    live: [{ environment: "production", deployment: "deployment:d-2", since }],
    pending: [],
  })
})

import { setTimeout as sleep } from "node:timers/promises"
import { setupServer } from "msw/node"
import { afterAll, expect, it } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import { createPool } from "../../src/store/database.ts"
import { adminKey, until } from "../support/hub.ts"
import { createGithubWorld } from "../support/worlds/github.ts"
import { startOwnPostgres } from "./support/own-postgres.ts"

const secret = "the secret of the world's hooks"
const postgres = await startOwnPostgres()
const pool = createPool(postgres.url, { role: "signalbox_worker", max: 1 })
const world = createGithubWorld({ secret, clock: systemClock })
const saas = setupServer(...world.handlers)
saas.listen({ onUnhandledFrame: "bypass" })
const hub = createHub({
  databaseUrl: postgres.url,
  port: 0,
  host: "127.0.0.1",
  adminKey,
  secrets: { github: [secret] },
  log: silentLog,
  env: { GITHUB_TOKEN: world.token, GITHUB_API_URL: world.apiUrl },
  reconcile: { settleMs: 0, spacingMs: 0 },
})
await hub.start()
afterAll(async () => {
  await world.idle()
  await hub.stop()
  await pool.end()
  saas.close()
})

interface Ledger {
  summary: string
  problem: string | null
  gaps: { kind: string; key: string; reason: string; state: string }[]
}

async function ask(path: string, method = "GET"): Promise<Ledger> {
  const headers = { authorization: `Bearer ${adminKey}` }
  const response = await fetch(`${hub.url}/api/v1/sources/github/default/${path}`, { method, headers })
  return response.json() as Promise<Ledger>
}

it("what GitHub sent while PostgreSQL was away is asked for again, and the ledger says so", async () => {
  world.hookUrl = `${hub.url}/webhooks/github`
  for (const name of world.repositories.keys()) world.addHook(name)
  const sent: Promise<unknown>[] = []
  const timer = setInterval(() => {
    sent.push(world.happen("acme/api", "push", new Date()), world.happen("acme/web", "check", new Date()))
  }, 100)
  await sleep(2_000)
  await postgres.stop()
  await sleep(20_000)
  await postgres.start()
  await sleep(2_000)
  clearInterval(timer)
  await Promise.all(sent)
  const turnedAway = world.attempts.filter(({ statusCode }) => statusCode === 503).map(({ guid }) => guid)
  expect(turnedAway.length).toBeGreaterThan(50)

  await ask("reconcile", "POST")
  const ledger = await until(
    () => ask("completeness?limit=500"),
    ({ summary, gaps }) => summary.includes(" 0 open") && gaps.some(({ kind }) => kind === "delivery"),
    60_000,
  )
  expect(ledger.problem).toBeNull()
  const outages = ledger.gaps.filter(({ kind }) => kind === "outage")
  expect(outages.map(({ reason, state }) => `${reason} ${state}`)).toEqual(["database_away repaired"])
  const repaired = ledger.gaps.filter(({ kind, state }) => kind === "delivery" && state === "repaired")
  // One whose answer could not wait for its commit may have come in all the same.
  expect(repaired.length).toBeGreaterThan(turnedAway.length / 2)
  expect(repaired.map(({ key }) => key).filter((key) => !turnedAway.includes(key))).toEqual([])
  const { rows } = await pool.query<{ guid: string; backfilled: boolean }>(
    "select delivery_id as guid, backfilled from events order by 1",
  )
  const expected = [...world.deliveries.keys()].toSorted().map((guid) => ({ guid, backfilled: false }))
  expect(rows).toEqual(expected)
}, 180_000)

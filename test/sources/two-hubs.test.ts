import { afterAll, expect, it, vi } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { testKeyText } from "../support/sources.ts"
import { sendPing } from "./ping.ts"

const first = await startTestHub({ env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1) } })
const common = {
  databaseUrl: first.database.url,
  port: 0,
  host: "127.0.0.1",
  adminKey,
  log: silentLog,
  roles: ["ingest", "api"],
} as const
const second = createHub({ ...common, env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1) } })
const keyless = createHub({ ...common, secrets: { github: ["env"] }, env: {} })
await Promise.all([second.start(), keyless.start()])
afterAll(() => Promise.all([second.stop(), keyless.stop()]))

function change(path: string, body: unknown, method = "POST") {
  const headers = { "content-type": "application/json" }
  return first.json(`/api/v1/sources${path}`, { method, body: JSON.stringify(body), headers })
}

const deliver = (url: string | undefined, path: string, secret: string) =>
  sendPing(`${url}/webhooks/github${path}`, secret)

const soon = { timeout: 3_000, interval: 25 }

it("what one hub is told, the others on its database obey", async () => {
  await change("", { platform: "github", name: "shared", secret: "one" })
  await vi.waitFor(async () => expect(await deliver(second.url, "/shared", "one")).toBe(202), soon)
  await change("/github/shared/rotate", { secret: "two", overlapSeconds: 3600 })
  await vi.waitFor(async () => expect(await deliver(second.url, "/shared", "two")).toBe(202), soon)
  expect(await deliver(second.url, "/shared", "one")).toBe(202)
  await change("/github/shared", { enabled: false }, "PATCH")
  await vi.waitFor(async () => expect(await deliver(second.url, "/shared", "two")).toBe(404), soon)
})

it("a hub without the key has the source off and says why, and takes what it can", async () => {
  await change("", { platform: "github", name: "sealed", secret: "one" })
  await vi.waitFor(async () => {
    const off = keyless.sources().find(({ name }) => name === "sealed")?.off
    expect(off).toMatch(/github\/sealed is off: .*SIGNALBOX_ENCRYPTION_KEY/)
  }, soon)
  expect(await deliver(keyless.url, "/sealed", "one")).toBe(404)
  expect(await deliver(keyless.url, "", "env")).toBe(202)
})

it("a hub without a key stores no secret, and says how to make a key", async () => {
  const response = await fetch(`${keyless.url}/api/v1/sources`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({ platform: "github", name: "unsealed" }),
  })
  const problem = await response.json()
  expect(response.status).toBe(409)
  expect(problem).toMatchObject({
    code: "configuration",
    detail: expect.stringMatching(/SIGNALBOX_ENCRYPTION_KEY.*openssl rand -base64 32/),
  })
})

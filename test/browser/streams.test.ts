import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Browser } from "playwright-core"
import { afterAll, describe, expect, it, onTestFinished } from "vitest"
import { range } from "../client/support/take.ts"
import { startHubProcess } from "../hub/support/hub-process.ts"
import { startFaultyProxy } from "../resilience/faulty-proxy.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { adminKey } from "../support/hub.ts"
import { buildClient } from "./support/build-client.ts"
import { findChromium, noChromium, startChromium } from "./support/chromium.ts"
import { followersOf, startFollowers, type Followed } from "./support/followers.ts"
import { startPageServer } from "./support/page-server.ts"

const program = findChromium()
// oxlint-disable-next-line no-console -- a test that is left out says why
if (program === undefined) console.warn(`skipped: ${noChromium}`)

const patience = { timeout: 120_000 }
const type = "browser.thing.happened"
const database = await testDatabase()
const folder = await mkdtemp(join(tmpdir(), "signalbox-built-"))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Logs events, a few at a time. */
async function produce(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 20) {
    await logEvents(
      database.work,
      range(sent, Math.min(20, count - sent)).map((n) => ({
        type,
        payload: { n, pad: "é".repeat(n % 500) },
      })),
    )
    await sleep(20)
  }
}

async function open(path: string): Promise<Browser> {
  const browser = await startChromium(path)
  onTestFinished(() => browser.close())
  return browser
}

describe.skipIf(program === undefined)("in Chromium, on a page of another origin", () => {
  it("every way to follow a stream sees each of thousands of events once, over cuts and kill -9", async () => {
    const client = await buildClient(folder)
    await using stack = new AsyncDisposableStack()
    let hubUrl: string | undefined
    let pageKey = adminKey
    const proxy = stack.use(await startFaultyProxy({ target: () => hubUrl, plan: () => undefined }))
    const pages = stack.use(
      await startPageServer({ client, hub: () => proxy.url, key: adminKey, pageKey: () => pageKey }),
    )
    const start = async () =>
      startHubProcess({ DATABASE_URL: database.url, SIGNALBOX_CORS_ORIGINS: pages.url })
    let hub = await start()
    stack.defer(async () => hub.end("SIGTERM"))
    hubUrl = hub.url
    const admin = async (
      path: string,
      method: string,
      body?: object,
    ): Promise<{ id: string; key: string }> => {
      const headers = { authorization: `Bearer ${adminKey}`, "content-type": "application/json" }
      const response = await fetch(hub.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return text === "" ? { id: "", key: "" } : (JSON.parse(text) as { id: string; key: string })
    }
    const keyOf = async () => admin("/api/v1/keys", "POST", { name: "page", scopes: ["streams:read"] })
    const first = await keyOf()
    pageKey = first.key

    const page = await (await open(program ?? "")).newPage()
    await page.goto(pages.url)
    await startFollowers(page, { hub: proxy.url, after: 0, type })
    const seen = async () => Object.values(await followersOf(page)).map(({ positions }) => positions.length)
    const allHave = async (count: number): Promise<void> => {
      await expect.poll(async () => Math.min(...(await seen())), patience).toBeGreaterThanOrEqual(count)
    }

    await produce(600)
    await allHave(1) // all are open, in the midst of it
    for (const round of [1, 2]) {
      const producing = produce(600)
      await hub.end("SIGKILL")
      hubUrl = undefined
      hub = await start()
      hubUrl = hub.url
      await producing
      await allHave(600 + round * 300)
    }
    pageKey = (await keyOf()).key
    await admin(`/api/v1/keys/${first.id}`, "DELETE")
    await produce(300)
    proxy.setAway(true)
    proxy.setAway(false)
    await produce(300)
    await allHave(2_400)

    const followers = await followersOf(page)
    const names = Object.keys(followers)
    expect(names).toHaveLength(6)
    for (const name of names) {
      const { positions, gaps, opened, givenUp } = followers[name] as Followed
      expect({ name, positions }).toEqual({ name, positions: range(0, 2_400) })
      expect({ name, gaps }).toEqual({ name, gaps: [] })
      expect({ name, opened, again: opened >= 3 }).toMatchObject({ again: true }) // two kills, a key that ended, a cut
      // With a token that is used up, Chromium gives up; the page has another one for it.
      const mayGiveUp = name === "EventSource by tokens"
      expect({ name, givenUp: mayGiveUp ? [] : givenUp }).toEqual({ name, givenUp: [] })
    }
    expect(pages.asked.token).toBeGreaterThan(3)
    expect(pages.asked.key).toBeGreaterThanOrEqual(3) // both transports at first, then for the one that was revoked
  }, 300_000)
})

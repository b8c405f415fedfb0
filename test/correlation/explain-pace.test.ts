import { setImmediate as nextTurn } from "node:timers/promises"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { describe, expect, it, onTestFinished } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { linkRoutes } from "../../src/api/links.ts"
import { explainCommand } from "../../src/cli/commands/correlation/explain.ts"
import type { StoredEvent } from "../../src/core/envelope.ts"
import type { ExplanationQuery } from "../../src/core/explanation.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { createExplain } from "../../src/correlation/explain.ts"
import { createReread } from "../../src/correlation/reread.ts"
import { unreadMentions } from "../../src/correlation/unread.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createRepository, takeIn, testWriter } from "../live/repository.ts"
import { testDatabase } from "../support/database.ts"
import { adminKey } from "../support/hub.ts"
import { quietProblems } from "../support/quiet-problems.ts"
import { runCommand } from "../support/run-command.ts"
import { eventOf, normalizedOf } from "./support.ts"

const known = { teamKeys: new Set(["ENG"]) }
const pair = { ones: ["github:pull_request:acme/api#900"], others: ["linear:issue:ENG-777"] }
const filling = "word ".repeat(12_000)

/** Platforms that count the texts in which they look for names, and a clock that goes by their length. */
function counted() {
  const read = { texts: 0, characters: 0 }
  const counting = platforms.map((platform) => ({
    ...platform,
    mentionsIn: (...[field, subject, names]: Parameters<NonNullable<typeof platform.mentionsIn>>) => {
      if (platform.name === "linear") {
        read.texts += 1
        read.characters += field.text.length
      }
      return platform.mentionsIn?.(field, subject, names) ?? []
    },
  }))
  return { platforms: counting, read, now: () => read.characters / 1_000 }
}

/** An event of the pull request, whose body says so. */
function said(body: string): StoredEvent {
  const openedAt = new Date("2026-11-21T10:00:00Z")
  const opened = pullRequest({ number: 900, title: "Limits", body, branch: "x", author: "dev", openedAt })
  const request = pullRequestOpened(opened)
  return eventOf(normalizedOf({}), { headers: request.headers, raw: Buffer.from(request.body) })
}

const edits = Array.from({ length: 25 }, (_, index) =>
  said(`skip ENG-777 ${index} ${filling}${"we do words so ".repeat(30)}skip ENG-777, ENG-777`),
)

describe("a name in a long text", () => {
  it.each([
    ["skip_word", "skip ENG-777", "skip ENG-777, ENG-777"],
    ["joined", "xENG-777 ENG-777y", "xENG-777"],
  ])("is tried where it stands, and not in all of the text each time: %s", async (kind, first, last) => {
    const text = `${first} ${filling}${"we do words so ".repeat(30)}${last}`
    const { platforms: counting, read } = counted()
    const field = { field: "body", format: "markdown", text } as const
    const found = await unreadMentions(counting, field, pair.ones[0] ?? "", pair.others, { known })
    expect(found.map((one) => one.kind)).toEqual([kind, kind, kind])
    // Once for what it names, and once for each place to see that the whole agrees.
    expect(read.characters / text.length).toBeLessThan(5)
  })

  it("is told by all of it where what stands around the name tells otherwise", async () => {
    const list = Array.from({ length: 300 }, (_, index) => `ENG-${501 + index}`).join(", ")
    const field = { field: "body", format: "markdown", text: `skip ${list}` } as const
    const [found] = await unreadMentions(platforms, field, pair.ones[0] ?? "", pair.others, { known })
    expect(found?.kind).toBe("skip_word")
  })

  it("is told of in the words around it, wherever those stand", async () => {
    const text = `${"word ".repeat(2_000)}skip ENG-777.${" word".repeat(2_000)}`
    const field = { field: "body", format: "markdown", text } as const
    const [found] = await unreadMentions(platforms, field, pair.ones[0] ?? "", pair.others, { known })
    expect(found).toMatchObject({ kind: "skip_word", text: "skip ENG-777", start: 10_000, end: 10_012 })
  })
})

describe("an explanation that would take long", () => {
  it("reads for its time, and names the events to which it did not come", async () => {
    const { platforms: counting, read, now } = counted()
    const reread = createReread(counting, createCorrelation({ platforms: counting }), { now, maxMs: 1_000 })
    const { findings, notRead } = await reread(edits, pair, [], known)
    expect(findings[0]).toMatchObject({ kind: "skip_word", eventId: edits[0]?.id })
    expect(notRead.length).toBeGreaterThan(0)
    expect(notRead).toEqual(edits.slice(-notRead.length).map(({ id }) => id))
    expect(read.characters).toBeLessThan(1_000_000 + 70_000)
  })

  it("reads all where there is time", async () => {
    const reread = createReread(platforms, createCorrelation({ platforms }), { now: () => 0 })
    expect((await reread(edits.slice(0, 3), pair, [], known)).notRead).toEqual([])
  })

  it("lets others have their turn before each long text, with another explanation beside it too", async () => {
    const { platforms: counting, read } = counted()
    const correlation = createCorrelation({ platforms: counting })
    const reread = createReread(counting, correlation, { now: () => 0 })
    const over = new AbortController()
    const others = async (): Promise<number> => {
      let most = 0
      for (let before = 0; !over.signal.aborted; before = read.characters) {
        await nextTurn()
        most = Math.max(most, read.characters - before)
      }
      return most
    }
    const waiting = others()
    await Promise.all([1, 2, 3].map(async () => reread(edits.slice(0, 2), pair, [], known)))
    over.abort()
    expect(await waiting).toBeLessThan(80_000)
  })

  it("reads no further once nobody waits for it", async () => {
    const { platforms: counting, read } = counted()
    const gone = new AbortController()
    const turn = async () => {
      if (read.texts > 5) gone.abort()
      await Promise.resolve()
    }
    const correlation = createCorrelation({ platforms: counting })
    const reread = createReread(counting, correlation, { now: () => 0, turn })
    const { notRead } = await reread(edits, pair, [], known, gone.signal)
    expect(notRead.length).toBeGreaterThan(20)
  })
})

describe("asked over HTTP", async () => {
  const database = await testDatabase()
  const repository = createRepository()
  repository.open(42, "Limit requests")
  const tenant = await takeIn(testWriter(database), repository.deliveries)
  const path = `/api/v1/links/explain?from=${encodeURIComponent("github:pull_request:acme/api#42")}&to=linear:issue:ENG-777`
  const routes = (explain: ReturnType<typeof createExplain>) =>
    quietProblems(new Hono()).route(
      "/api/v1/links",
      linkRoutes({ database, tenantOf: () => tenant, explain, rules: () => [] }),
    )

  it("an explanation says what it did not read", async () => {
    const correlation = createCorrelation({ platforms })
    const [all, none] = [{}, { maxMs: 0 }].map((options) =>
      routes(createExplain(platforms, correlation, options)),
    )
    const whole = (await (await all?.request(path))?.json()) as { examined: { events: number } }
    expect(whole.examined).toEqual({ events: whole.examined.events, complete: true })
    expect(whole.examined.events).toBeGreaterThan(0)
    const cut = (await (await none?.request(path))?.json()) as { examined: { notRead: string[] } }
    expect(cut.examined).toMatchObject({ events: 0, complete: false })
    expect(cut.examined.notRead).toHaveLength(whole.examined.events)

    const server = serve({ fetch: (none ?? new Hono()).fetch, port: 0, hostname: "127.0.0.1" })
    onTestFinished(() => void server.close())
    if (!server.listening) await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const args = [
      "github:pull_request:acme/api#42",
      "linear:issue:ENG-777",
      "--url",
      `http://127.0.0.1:${port}`,
    ]
    const { lines } = await runCommand(explainCommand, args, { SIGNALBOX_ADMIN_KEY: adminKey })
    expect(lines.at(-1)).toMatch(/^There was no time to read (one event|\d+ events) of the two anew: /)
  })

  it("no more than two are made at once, each until whoever asked is gone", async () => {
    const explain = createExplain(platforms, createCorrelation({ platforms }))
    const asked: ExplanationQuery[] = []
    const started = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const app = routes(async (db, query) => {
      asked.push(query)
      if (asked.length === 2) started.resolve()
      await released.promise
      return explain(db, query)
    })
    const gone = new AbortController()
    const { signal } = gone
    const answers = [signal, signal, signal, undefined].map(async (of) =>
      app.request(path, of === undefined ? {} : { signal: of }),
    )
    await started.promise
    await app.request("/api/v1/links/explain") // asks for nothing, and is answered
    expect(asked).toHaveLength(2)
    gone.abort()
    expect(asked.map((query) => query.signal?.aborted)).toEqual([true, true])
    released.resolve()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 400, 200]) // whose turn came when nobody waited any more, is not begun
    expect(asked).toHaveLength(3)
  })
})

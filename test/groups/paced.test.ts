import { expect, it } from "vitest"
import { createSseParser } from "../../src/client/sse-parser.ts"
import { logEvents } from "../support/events.ts"
import { startTestHub } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"

const hub = await startTestHub()

async function keyWith(eventsPerSecond: number): Promise<string> {
  const body = JSON.stringify({ name: "paced", scopes: ["groups:consume"], eventsPerSecond })
  const made = await hub.json("/api/v1/keys", { method: "POST", body })
  expect(made.status).toBe(201)
  return made.body.key
}

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ type: `paced.event.n${n}` }))

it("what members fetch is taken off their key's events, and the next fetch is told when to come", async () => {
  const group = await makeGroup(hub, "fetched", { partitions: 1 })
  const member = await joinGroup(hub, group, "one")
  await logEvents(hub.database.work, many(10))
  const key = await keyWith(0.01)
  const path = `${member.path}/events?wait=20&max=10`
  expect((await hub.json(path, { key })).body.events).toHaveLength(10)
  const refused = await hub.request(path, { key })
  expect(refused.status).toBe(429)
  const retryAfter = Number(refused.headers.get("retry-after"))
  expect(retryAfter).toBeGreaterThan(900) // ten at one in a hundred seconds, each counted once
  expect(retryAfter).toBeLessThanOrEqual(1_000)
})

it("a member's stream goes at its key's pace, and skips nothing", async () => {
  const group = await makeGroup(hub, "followed", { partitions: 1 })
  const member = await joinGroup(hub, group, "one")
  const logged = await logEvents(hub.database.work, many(60))
  const stop = new AbortController()
  const stream = await hub.request(`${member.path}/sse`, { key: await keyWith(20), signal: stop.signal })
  const parser = createSseParser()
  const types: string[] = []
  const sizes: number[] = []
  for await (const bytes of stream.body ?? []) {
    const before = types.length
    for (const item of parser.push(bytes)) {
      if (item.kind === "message" && item.type.startsWith("paced.")) types.push(item.type)
    }
    sizes.push(types.length - before)
    if (types.length === 60) break
  }
  stop.abort()
  expect(types).toEqual(logged.map(({ type }) => type))
  expect(Math.max(...sizes)).toBeLessThanOrEqual(40) // of 20 at once; two stretches may come as one
})

import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { adminKey, startTestHub } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"
import { startStreamNode } from "./support/stream-node.ts"

const hub = await startTestHub()

it("a connection that breaks at one process ends nothing of a member that another process serves", async () => {
  const group = await makeGroup(hub, "at-two", { partitions: 2, sessionSeconds: 30 })
  const [member, other] = [await joinGroup(hub, group), await joinGroup(hub, group)]
  const before = await member.heartbeat()
  const standing = other.heartbeat(`wait=20&known=${(await other.heartbeat()).version}`)
  const node = await startStreamNode(hub)
  const authorization = { headers: { authorization: `Bearer ${adminKey}` } }
  const held = fetch(`${node.url}${member.path}/heartbeat?wait=6&known=${before.version}`, {
    ...authorization,
    method: "POST",
  })
  const breaking = new AbortController()
  const broken = hub.request(`${member.path}/events?wait=20`, { signal: breaking.signal }).catch(() => {})
  await sleep(1_000) // until it is held open
  breaking.abort()
  await broken
  const answer = await held
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual(before)
  await other.leave()
  await standing.catch(() => {})
})

it("a member that comes back after its session was ended elsewhere is one again, whatever was believed", async () => {
  const group = await makeGroup(hub, "ended-elsewhere", { partitions: 2, sessionSeconds: 30 })
  const member = await joinGroup(hub, group)
  const before = await member.heartbeat()
  await hub.database.work.query(
    "update consumer_members set expires_at = now() - interval '1 second' where id = $1",
    [member.id],
  )
  expect(await member.heartbeat()).toEqual(before)
})

import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { tidyMembers } from "../../src/store/consumer-leases.ts"
import { startTestHub } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"

const hub = await startTestHub()
const sessionMs = 2_000

async function ended(group: string): Promise<void> {
  await sleep(sessionMs + 500)
  expect((await hub.json(`/api/v1/consumer-groups/${group}`)).body.members).toEqual([])
}

it("a member that comes back after its session holds what nobody took, and is unknown once it is forgotten", async () => {
  const group = await makeGroup(hub, "silent", { partitions: 2, sessionSeconds: sessionMs / 1_000 })
  const member = await joinGroup(hub, group)
  const first = await member.heartbeat()
  expect(first.assignments).toHaveLength(2)

  await ended("silent")
  expect(await member.heartbeat()).toEqual(first)

  await ended("silent")
  const other = await joinGroup(hub, group)
  expect((await other.heartbeat()).assignments).toHaveLength(2)
  expect(await member.commit(first.assignments)).toBe(409)

  await ended("silent")
  await hub.database.work.query("update consumer_members set expires_at = now() - interval '2 minutes'")
  await tidyMembers(hub.database.work, [])
  const { status, body } = await hub.json(`${member.path}/heartbeat`, { method: "POST" })
  expect({ status, body }).toMatchObject({ status: 404, body: { code: "unknown_member" } })
})

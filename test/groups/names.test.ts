import { expect, it } from "vitest"
import { startTestHub } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"

const hub = await startTestHub()

async function keyOf(tenant: string): Promise<string> {
  const body = JSON.stringify({ name: "test", scopes: ["groups:consume", "admin"], tenant })
  return (await hub.json("/api/v1/keys", { method: "POST", body })).body.key
}

it("no name of a group reaches into a tenant whose own name begins alike", async () => {
  const [owner, stranger] = [await keyOf("acme\nteam"), await keyOf("acme")]
  const groups = "/api/v1/consumer-groups"
  const made = await hub.json(groups, { method: "POST", key: owner, body: '{"name":"orders"}' })
  expect(made.status).toBe(201)
  expect((await hub.json(`${groups}/orders/members`, { method: "POST", key: owner })).status).toBe(201)
  const reached = await hub.json(`${groups}/team%0Aorders/members`, { method: "POST", key: stranger })
  expect(reached.status).toBe(404)
})

it("a group that was made anew under its name lets members in", async () => {
  const group = await makeGroup(hub, "anew", { partitions: 2 })
  await joinGroup(hub, group)
  expect((await hub.json(group, { method: "DELETE" })).status).toBe(204)
  expect((await hub.json(`${group}/members`, { method: "POST" })).status).toBe(404)
  await makeGroup(hub, "anew", { partitions: 2 })
  await joinGroup(hub, group)
  expect((await hub.json(group, { method: "DELETE" })).status).toBe(204)
  await makeGroup(hub, "anew", { partitions: 3 })
  const member = await joinGroup(hub, group)
  expect((await member.heartbeat()).assignments).toHaveLength(3)
})

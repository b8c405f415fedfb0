import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { logEvents } from "../support/events.ts"
import { startTestHub } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"

const hub = await startTestHub()

it("who waits while its stream is widened gets what is logged after that", async () => {
  const stream = { name: "widened", filter: { types: ["old.*"] } }
  expect((await hub.json("/api/v1/streams", { method: "POST", body: JSON.stringify(stream) })).status).toBe(
    201,
  )
  const group = await makeGroup(hub, "widening", { stream: "widened", partitions: 2 })
  const member = await joinGroup(hub, group)
  const waiting = member.fetch("wait=20")
  await sleep(1_000) // until it is held open
  const { status } = await hub.json("/api/v1/streams/widened", {
    method: "PATCH",
    body: JSON.stringify({ filter: { types: ["old.*", "new.*"] } }),
  })
  expect(status).toBe(200)
  const [logged] = await logEvents(hub.database.work, [{ type: "new.thing" }])
  expect((await waiting).events.map(({ event }) => event.id)).toEqual([logged?.id])
})

import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { logEvents } from "../support/events.ts"
import { startTestHub } from "../support/hub.ts"
import { afterOf, joinGroup, makeGroup } from "./support/members.ts"

const hub = await startTestHub()

/** What a restore of an older dump leaves: fewer events, and a head that is behind. */
async function setBack(to: number): Promise<void> {
  await hub.database.work.query("delete from event_log where position > $1", [to])
  await hub.database.work.query("update event_log_head set position = $1", [to])
}

it("a position that the log has not reached any more is refused at each fetch, not awaited", async () => {
  const group = await makeGroup(hub, "set-back", { partitions: 1 })
  const member = await joinGroup(hub, group)
  await logEvents(hub.database.work, [{ entity: "thing:1" }, { entity: "thing:1" }])
  const { positions } = await member.fetch("wait=5")
  const reached = positions[0]!.position
  const path = `${member.path}/events?wait=5&after=${afterOf(positions)}`
  const waiting = hub.json(path)
  await sleep(1_000) // until it is held open
  await setBack(reached - 1)
  expect(await waiting).toMatchObject({ status: 409, body: { code: "conflict" } })
  expect(await hub.json(path)).toMatchObject({ status: 409, body: { code: "conflict" } })
  const [anew] = await logEvents(hub.database.work, [{ entity: "thing:1" }])
  const { events } = await member.fetch("wait=5")
  expect(events.at(-1)?.event.id).toBe(anew?.id)
})

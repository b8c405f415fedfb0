import { expect, it, onTestFinished } from "vitest"
import { createClient } from "../../src/client/index.ts"
import { entityIn, giveEntity } from "../processing/other-entity.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"
import { startStreamNode } from "./support/stream-node.ts"

const hub = await startTestHub()
const partitions = 4

it("an event that gets another entity comes to the partition that has not come to it", async () => {
  const group = await makeGroup(hub, "lagging", { partitions })
  const member = await joinGroup(hub, group)
  const [event] = await logEvents(hub.database.work, [{ entity: entityIn(0, partitions) }])
  const { events, positions } = await member.fetch("wait=5")
  expect(events).toMatchObject([{ partition: 0, event: { id: event?.id } }])
  expect(await member.commit(positions.filter(({ partition }) => partition !== 0))).toBe(200)
  expect(await member.leave()).toBe(204)
  await giveEntity(hub.database.url, [event?.id ?? ""], entityIn(3, partitions))
  const [later] = await logEvents(hub.database.work, [{ entity: entityIn(3, partitions) }])

  const node = await startStreamNode(hub) // knows of the events what the database has now
  const ending = new AbortController()
  const seen: [number, string][] = []
  const run = createClient({ url: node.url, key: adminKey })
    .group("lagging", { signal: ending.signal })
    .run(({ id }, { partition }) => seen.push([partition, id]))
  onTestFinished(async () => {
    ending.abort()
    await run
  })
  await until(
    async () => seen.length,
    (count) => count >= 2,
  )
  expect(seen.toSorted(([one], [other]) => one - other)).toEqual([
    [0, event?.id],
    [3, later?.id],
  ])
})

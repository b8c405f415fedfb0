import { expect, test } from "vitest"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { entityIn, giveEntity } from "../processing/other-entity.ts"
import { testDatabase } from "../support/database.ts"
import { handlerOf, replaysOf, startMachine } from "./machine.ts"

const database = await testDatabase()
const replays = replaysOf(database)
const partitions = 4

test("an event that got another entity is replayed in the partition that it ran in", async () => {
  const runs: string[] = []
  await startMachine(database, [handlerOf("told-again", ({ id }) => void runs.push(id), { partitions })])
  const [id = ""] = await append(database, { entity: entityIn(0, partitions) })
  await eventually(
    () => deliveriesOf(database, "told-again"),
    ([delivery]) => delivery?.status === "delivered",
  )
  await giveEntity(database.url, [id], entityIn(3, partitions))
  const replay = await replays.start("told-again")
  expect(await replays.completed(replay)).toMatchObject({ matched: 1, delivered: 1 })
  expect(runs).toEqual([id, id])
  expect(await deliveriesOf(database, "told-again")).toMatchObject([{ event_id: id, partition: 0 }])
})

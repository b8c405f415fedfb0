import { expect, test } from "vitest"
import type { Message } from "../../src/core/platform.ts"
import { testDatabase } from "../support/database.ts"
import { obedient } from "./obedient.ts"
import { newEvent, startProcessor, submit, untilLogged } from "./support.ts"

const database = await testDatabase()

test("events derived anew say what they say now, at the places they had, without telling anybody", async () => {
  const { queue } = await startProcessor(database)
  const events = ["a", "b", "c"].map((title) =>
    newEvent({ title, number: 1, mentions: ["test:thing:old", "test:thing:older"] }),
  )
  const [unlucky] = events
  const ids = await submit(database, queue, events)
  await untilLogged(database, ids)
  const told: unknown[] = []
  const listener = await database.work.connect()
  listener.on("notification", (message) => told.push(message))
  await listener.query("listen signalbox_log")

  const mended = {
    ...obedient,
    normalize: (message: Message) => ({
      ...obedient.normalize(message),
      type: "test.thing.mended",
      entity: "test:thing:new",
      detail: { number: 2, event_name: "mended" },
      references: [
        { entity: "test:thing:now", relation: "mentions", evidence: { field: "body", text: "now" } },
      ],
    }),
  }
  const normalize = (message: Message) => {
    if (JSON.stringify(message.payload).includes('"a"')) throw new Error("not this one")
    return mended.normalize(message)
  }
  const { processor } = await startProcessor(database, { platforms: [{ ...mended, normalize }] })
  const before = await database.work.query("select * from event_metrics")
  const waiting = newEvent({})
  const result = await processor.reprocess([...ids, waiting.id])
  expect(result).toMatchObject({ mended: 2, failed: [{ event: { id: unlucky?.id }, error: "not this one" }] })

  const rows = async (text: string) => (await database.work.query({ text, rowMode: "array" })).rows
  expect(await rows("select position, type, entity from event_log order by position")).toEqual([
    [1, "test.thing.happened", "test:thing:a"],
    [2, "test.thing.mended", "test:thing:new"],
    [3, "test.thing.mended", "test:thing:new"],
  ])
  expect(await rows("select type from events order by id")).toEqual([
    ["test.thing.happened"],
    ["test.thing.mended"],
    ["test.thing.mended"],
  ])
  expect(await rows("select number, event_name from github_events order by event_id")).toEqual([
    [1, "test"],
    [2, "mended"],
    [2, "mended"],
  ])
  const links = "select from_entity, to_entity from event_correlations order by event_id, to_entity"
  expect(await rows(links)).toEqual([
    ["test:thing:a", "test:thing:old"],
    ["test:thing:a", "test:thing:older"],
    ["test:thing:new", "test:thing:now"],
    ["test:thing:new", "test:thing:now"],
  ])
  expect(await rows("select count(*) from event_references")).toEqual([[4]])
  expect((await database.work.query("select * from event_metrics")).rows).toEqual(before.rows)
  await listener.query("select 1")
  expect(told).toEqual([])
  listener.release(true)
})

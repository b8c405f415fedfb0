import { expect, test } from "vitest"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { startSending, subscribe } from "../delivery/machine.ts"
import { startReceiver } from "../delivery/receiver.ts"
import { testDatabase } from "../support/database.ts"
import { moveReplays, replaysOf } from "./machine.ts"

const database = await testDatabase()
const replays = replaysOf(database)

const of = (entity: string, number: number) => ({
  type: "ordered.it.happened",
  entity: `x:y:${entity}`,
  title: `${number} of ${entity}`,
})

test("where order is kept, a replayed event that fails holds up its entity within its replay, and nothing new", async () => {
  let failing = false
  const live: string[] = []
  const replayed: string[] = []
  const receiver = await startReceiver(({ json, headers }) => {
    const isReplay = headers["signalbox-replay"] !== undefined
    if (failing && isReplay && json.title === "1 of a") return 500
    ;(isReplay ? replayed : live).push(json.title)
    return 204
  })
  const { id: subscription } = await subscribe(database, "ordered", receiver.url, {
    ordered: true,
    retrySchedule: Array(50).fill(0),
  })
  const process = await startSending(database)
  moveReplays(database)
  await append(database, ...[1, 2, 3, 4, 5].flatMap((number) => [of("a", number), of("b", number)]))
  await eventually(
    () => deliveriesOf(database, "ordered"),
    (rows) => rows.length === 10 && rows.every(({ status }) => status === "delivered"),
  )
  failing = true
  const id = await replays.start("ordered")
  await eventually(
    () => deliveriesOf(database, "ordered"),
    (rows) => rows.filter(({ status }) => status === "held").length === 4 && replayed.length >= 5,
  )
  expect(replayed).toEqual([1, 2, 3, 4, 5].map((number) => `${number} of b`))
  live.splice(0)
  await append(database, of("a", 6), of("b", 6), of("a", 7))
  process.wake()
  await eventually(
    () => live.length,
    (length) => length === 3,
  )
  expect(live.filter((title) => title.endsWith("a"))).toEqual(["6 of a", "7 of a"])
  expect(replayed).toHaveLength(5)
  failing = false
  await database.work.query(
    "update event_deliveries set next_attempt_at = now() where subscription_id = $1 and status = 'retrying'",
    [subscription],
  )
  expect(await replays.completed(id)).toMatchObject({ delivered: 10, failed: 0 })
  expect(replayed.slice(5)).toEqual([1, 2, 3, 4, 5].map((number) => `${number} of a`))
})

test("what is dead is replayed, and its dead letter is settled by that", async () => {
  let answer = 500
  const receiver = await startReceiver(() => answer)
  const { id: subscription } = await subscribe(database, "dying", receiver.url, { retrySchedule: [] })
  await startSending(database)
  moveReplays(database)
  const type = "dying.it.happened"
  await append(database, { type }, { type })
  await eventually(
    () => deliveriesOf(database, "dying"),
    (rows) => rows.length === 2 && rows.every(({ status }) => status === "dead"),
  )
  const open = async () => {
    const { rows } = await database.work.query(
      "select status from dead_letters where subscription_id = $1 and status = 'open'",
      [subscription],
    )
    return rows.length
  }
  expect(await open()).toBe(2)
  const failed = await replays.completed(await replays.start("dying", { deliveries: ["dead"] }))
  expect(failed).toMatchObject({ matched: 2, failed: 2 })
  expect(await open()).toBe(2)
  answer = 204
  const done = await replays.completed(await replays.start("dying", { deliveries: ["dead"] }))
  expect(done).toMatchObject({ matched: 2, delivered: 2 })
  expect(await open()).toBe(0)
})

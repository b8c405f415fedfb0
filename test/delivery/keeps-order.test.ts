import { expect, test } from "vitest"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { giveEntity } from "../processing/other-entity.ts"
import { testDatabase } from "../support/database.ts"
import { startSending, subscribe } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()
const of = (title: string) => ({ entity: "test:thing:a", title, payload: { title } })

test("where order is kept, what an event holds up goes on after it though it gets another entity meanwhile", async () => {
  let failing = true
  const seen: string[] = []
  const receiver = await startReceiver(({ json }) => {
    if (failing && json.title === "1") return 500
    seen.push(json.title)
    return 204
  })
  const { id } = await subscribe(database, "ordered", receiver.url, {
    filter: { types: ["test.thing.happened"] },
    ordered: true,
    retrySchedule: Array(50).fill(0),
  })
  const sending = await startSending(database)
  const [first = ""] = await append(database, of("1"), of("2"), of("3"))
  sending.wake()
  await eventually(
    () => deliveriesOf(database, "ordered"),
    (rows) => rows.map(({ status }) => status).join() === "retrying,held,held",
  )
  await giveEntity(database.url, [first], "test:thing:b")
  failing = false
  await database.work.query(
    "update event_deliveries set next_attempt_at = now() where subscription_id = $1 and status = 'retrying'",
    [id],
  )
  await append(database, of("4"))
  sending.wake()
  await eventually(
    () => deliveriesOf(database, "ordered"),
    (rows) => rows.length === 4 && rows.every(({ status }) => status === "delivered"),
  )
  expect(seen).toEqual(["1", "2", "3", "4"])
})

import { expect, test } from "vitest"
import { append, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { startSending, subscribe } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()

const of = (title: string, verb = "left") => ({ type: `${verb}.it.happened`, entity: "x:y:a", title })

interface Row {
  event_id: string
  status: string
  order_key: string | null
}

test("what was left running goes before what was handed back of its entity", async () => {
  const seen: string[] = []
  let hangs = true
  const receiver = await startReceiver(({ json }) => {
    seen.push(json.title)
    return hangs ? new Promise<number>(() => {}) : 204
  })
  const { id } = await subscribe(database, "left", receiver.url, { ordered: true })
  const first = await startSending(database)
  const [running] = await append(database, of("1"), of("2"), of("3"))
  await eventually(
    () => seen.length,
    (length) => length === 1,
  )
  const rows = async () =>
    (
      await database.work.query<Row>(
        "select event_id, status, order_key from event_deliveries where subscription_id = $1 order by position",
        [id],
      )
    ).rows
  const [begun] = await rows()
  expect(begun).toMatchObject({ event_id: running, status: "running" })
  await first.stop()
  expect((await rows()).map(({ status }) => status)).toEqual(["retrying", "retrying", "retrying"])
  // As it is where the process ended before it could write what had become of the first.
  await database.work.query(
    `update event_deliveries set status = 'running', attempts = 1, next_attempt_at = null, order_key = $3
     where subscription_id = $1 and event_id = $2`,
    [id, running, begun?.order_key],
  )
  seen.splice(0)
  hangs = false
  await startSending(database)
  await eventually(rows, (all) => all.every(({ status }) => status === "delivered"))
  expect(seen).toEqual(["1", "2", "3"])
})

test("what was left held goes before what was left to be tried of its entity", async () => {
  const seen: string[] = []
  let hangs = true
  const receiver = await startReceiver(({ json }) => {
    seen.push(json.title)
    return hangs ? new Promise<number>(() => {}) : 204
  })
  const { id } = await subscribe(database, "left-held", receiver.url, {
    filter: { types: ["held.*"] },
    ordered: true,
  })
  const first = await startSending(database)
  const [earliest] = await append(database, of("1", "held"), of("2", "held"), of("3", "held"))
  await eventually(
    () => seen.length,
    (length) => length === 1,
  )
  await first.stop()
  // As it is where the process ended once what came before the first was delivered, and before that was released.
  await database.work.query(
    `update event_deliveries set status = 'held', next_attempt_at = null
     where subscription_id = $1 and event_id = $2`,
    [id, earliest],
  )
  seen.splice(0)
  hangs = false
  await startSending(database)
  await eventually(
    () => seen.length,
    (length) => length === 3,
  )
  expect(seen).toEqual(["1", "2", "3"])
})

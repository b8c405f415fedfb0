import { expect, test } from "vitest"
import { transaction } from "../../src/store/database.ts"
import { append } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { handlerOf, replaysOf, startMachine } from "./machine.ts"

const database = await testDatabase()
const replays = replaysOf(database)

test("a consumer that is being deleted is not waited for, and holds up no replay of another", async () => {
  await append(database, {}, {})
  await startMachine(database, [handlerOf("leaving", () => {}), handlerOf("other", () => {})])
  const leaving = await replays.start("leaving", { ratePerSecond: 0.01 })
  await replays.pause("default", leaving)
  await transaction(database.work, async (db) => {
    await db.query("select from stream_subscriptions where name = 'leaving' for update")
    await replays.resume("default", leaving)
    const other = await replays.start("other")
    expect(await replays.completed(other, 15_000)).toMatchObject({ matched: 2 })
    await db.query("delete from stream_subscriptions where name = 'leaving'")
  })
  await expect(replays.shown(leaving)).rejects.toThrow("no such replay")
})

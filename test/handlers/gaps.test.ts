import { expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import type { Gap } from "../../src/index.ts"
import { dropFromLog } from "../consumers/retention.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, until } from "../support/hub.ts"

const database = await testDatabase()

test("handlers and callbacks, named or not, are told what retention has dropped before they came to it", async () => {
  await logEvents(
    database.work,
    Array.from({ length: 4 }, () => ({ type: "gap.test", payload: {} })),
  )
  await dropFromLog(database, [2, 3])
  const hub = createHub({ databaseUrl: database.url, port: 0, adminKey, log: silentLog, env: {} })
  onTestFinished(() => hub.stop())
  const told: Record<string, Gap[]> = { on: [], named: [], unnamed: [] }
  const optionsFor = (who: string) => ({ from: 0, onGap: (gap: Gap) => void told[who]?.push(gap) })
  hub.on("gap.*", () => {}, { ...optionsFor("on"), name: "on", partitions: 1 })
  hub.subscribe("all_events", () => {}, { ...optionsFor("named"), name: "named" })
  hub.subscribe("all_events", () => {}, optionsFor("unnamed"))
  await hub.start()
  await until(
    async () => Object.values(told).flat().length,
    (count) => count === 3,
  )
  const gap = { from: 2, to: 3, partition: 0 }
  expect(told).toEqual({ on: [gap], named: [gap], unnamed: [gap] })
})

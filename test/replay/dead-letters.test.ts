import { expect, test } from "vitest"
import { createKey } from "../../src/auth/keys.ts"
import { deadLettersCommand } from "../../src/cli/commands/dead-letters.ts"
import { deliveriesOf } from "../consumers/log.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const { hub, url, database, json } = await startTestHub()
let failing = true
for (const name of ["first", "second"]) {
  hub.on(
    "dead.**",
    () => {
      if (failing) throw new Error(`${name} fails`)
    },
    { name, retry: { attempts: 1 } },
  )
}
const run = (key: string, ...args: string[]) =>
  runCommand(deadLettersCommand, [...args, "--url", url], { SIGNALBOX_API_KEY: key })
const list = async (...args: string[]) => (await run(adminKey, "list", ...args)).lines
const all = (name: string, status: string) =>
  until(
    () => deliveriesOf(database, name),
    (rows) => rows.length === 4 && rows.every((row) => row.status === status),
  )

test("dead letters of one consumer are tried again together, and those of others and what was discarded stay", async () => {
  await logEvents(
    database.work,
    Array.from({ length: 4 }, () => ({ type: "dead.it.is" })),
  )
  await Promise.all(["first", "second"].map((name) => all(name, "dead")))
  expect(await list()).toHaveLength(8)
  expect(await list("--consumer", "first")).toEqual(
    Array(4).fill(expect.stringMatching(/ open {2}handler .*first fails/)),
  )
  expect(await list("--limit", "3", "--kind", "handler")).toHaveLength(3)

  const [one = ""] = await list("--consumer", "second", "--json")
  const { id } = JSON.parse(one) as { id: string }
  expect((await run(adminKey, "show", id)).lines.join("\n")).toContain("second fails")
  expect((await run(adminKey, "discard", id)).lines).toEqual(["discarded"])
  await expect(run(adminKey, "retry", id)).rejects.toMatchObject({ code: "conflict" })

  failing = false
  const until1h = new Date(Date.now() - 3_600_000).toISOString()
  expect((await run(adminKey, "retry", "--consumer", "first", "--until", until1h)).lines).toEqual([
    "0 will be tried again",
  ])
  expect((await run(adminKey, "retry", "--consumer", "first", "--since", "1h")).lines).toEqual([
    "4 will be tried again",
  ])
  await all("first", "delivered")
  expect((await deliveriesOf(database, "second")).map(({ status }) => status)).toEqual(Array(4).fill("dead"))
  expect((await run(adminKey, "retry", "--consumer", "second", "--json")).lines).toEqual(['{"retried":3}'])
  await until(
    () => deliveriesOf(database, "second"),
    (rows) => rows.filter(({ status }) => status === "delivered").length === 3,
  )
  expect(await list()).toEqual([])
  expect(await list("--status", "discarded")).toHaveLength(1)
})

test("another tenant reaches none of them", async () => {
  const { key } = await createKey(database.work, { tenant: "other", name: "t", scopes: ["admin"] })
  await expect(run(key, "retry", "--consumer", "first")).rejects.toMatchObject({ code: "not_found" })
  expect((await json("/api/v1/dead-letters?status=discarded", { key })).body.deadLetters).toEqual([])
  await expect(run(adminKey, "retry")).rejects.toMatchObject({ code: "bad_request" })
  await expect(run(adminKey, "dance")).rejects.toMatchObject({ code: "bad_request" })
})

import { expect, test } from "vitest"
import { replayCommand } from "../../src/cli/commands/replay/index.ts"
import { deliveriesOf } from "../consumers/log.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const { hub, url, database } = await startTestHub()
const seen: (string | null)[] = []
let failing = false
hub.on(
  "told.**",
  (_event, { replayId }) => {
    seen.push(replayId)
    if (failing) throw new Error("not now")
  },
  { name: "told", retry: { attempts: 1 } },
)
const run = (...args: string[]) =>
  runCommand(replayCommand, [...args, "--url", url], { SIGNALBOX_API_KEY: adminKey })

test("a replay is counted, started, followed, listed, paused, resumed and cancelled from the command line", async () => {
  await logEvents(database.work, [
    { type: "told.a", entity: "linear:issue:ENG-1" },
    { type: "told.b" },
    { type: "told.b" },
  ])
  await until(
    () => deliveriesOf(database, "told"),
    (rows) => rows.length === 3 && rows.every(({ status }) => status === "delivered"),
  )
  expect(await run("start", "told", "--dry-run")).toEqual({
    status: 0,
    lines: ["3 events would go to told"],
  })
  const where = '{"where": {"payload.n": 1}}'
  expect((await run("start", "told", "--filter", where, "--dry-run")).lines).toEqual([
    "at most 3 events would go to told",
  ])
  const { status, lines } = await run("start", "told", "--type", "told.b", "--since", "1d", "--follow")
  expect(status).toBe(0)
  expect(lines.at(-1)).toMatch(/^\S+ {2}completed {2}to told: 2 of 2 delivered$/)
  expect(seen.slice(3)).toEqual([lines[0], lines[0]])
  const named = await run("start", "told", "--entity", "linear:issue:ENG-1", "--follow", "--json")
  expect(JSON.parse(named.lines.at(-1) ?? "")).toMatchObject({
    status: "completed",
    delivered: 1,
    entities: 1,
  })

  const slow = await run("start", "told", "--rate", "0.01", "--json")
  const { id } = JSON.parse(slow.lines[0] ?? "") as { id: string }
  expect((await run("pause", id)).lines[0]).toMatch(/ paused {2}to told: /)
  expect((await run("list", "--status", "paused")).lines).toHaveLength(1)
  expect((await run("resume", id)).lines[0]).toMatch(/ running {2}to told: /)
  expect((await run("cancel", id)).lines[0]).toMatch(/ cancelled {2}to told: /)
  expect((await run("follow", id)).status).toBe(1)
  expect((await run("show", id, "--json")).lines.map((line) => JSON.parse(line))).toMatchObject([
    { id, status: "cancelled", ratePerSecond: 0.01 },
  ])
  await expect(run("cancel", id)).rejects.toMatchObject({ code: "conflict" })

  failing = true
  const failed = await run("start", "told", "--type", "told.a", "--follow")
  expect(failed.status).toBe(1)
  expect(failed.lines.at(-1)).toMatch(/0 of 1 delivered, 1 failed$/)
})

test("mistakes are told before anything is asked", async () => {
  for (const args of [
    ["start"],
    ["start", "told", "--rate", "0"],
    ["start", "told", "--filter", "nonsense"],
    ["start", "told", "--filter", "null"],
    ["start", "told", "--after", "x"],
    ["show"],
    ["dance"],
  ]) {
    await expect(run(...args)).rejects.toMatchObject({ code: "bad_request" })
  }
  await expect(run("start", "nobody")).rejects.toMatchObject({ code: "not_found" })
})

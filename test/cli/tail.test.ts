import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { expect, it, onTestFinished } from "vitest"
import { tailCommand } from "../../src/cli/commands/tail.ts"
import { tailLine, takesColours } from "../../src/cli/tail-line.ts"
import { createClient, type ClientEvent } from "../../src/client/index.ts"
import { startProxy } from "../client/support/proxy.ts"
import { logEvents, logEventsIn, type EventSpec } from "../support/events.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"

const { url, database } = await startTestHub()
const env = { SIGNALBOX_URL: url, SIGNALBOX_API_KEY: adminKey }
const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

const occurredAt = new Date("2026-11-20T10:00:00Z")
const story: EventSpec[] = [
  {
    platform: "github",
    type: "github.pull_request.opened",
    title: "Limit the\nrate\u001B[31m of requests",
    actor: { id: "7", name: "dev", bot: false },
    entity: "github:pull_request:acme/api#42",
    occurredAt,
  },
  {
    platform: "linear",
    type: "linear.issue.created",
    title: "Limits",
    entity: "linear:issue:ENG-123",
    occurredAt,
  },
  { type: "test.thing.happened", occurredAt, payload: '{"n":9007199254740993}' },
]
await logEvents(database.work, story)

const linesOf = async (...args: string[]) => (await runCommand(tailCommand, args, env)).lines
const line = {
  opened:
    "2026-11-20T10:00:00Z  github      github.pull_request.opened              Limit the rate [31m of requests  by dev  github:pull_request:acme/api#42",
  created:
    "2026-11-20T10:00:00Z  linear      linear.issue.created                    Limits  linear:issue:ENG-123",
  happened: "2026-11-20T10:00:00Z  custom      test.thing.happened",
}

/** The program itself, following the hub, or one at another address. */
function follow(args: string[], at = url) {
  const child = spawn(process.execPath, [program, "tail", ...args], {
    env: { PATH: process.env["PATH"], SIGNALBOX_URL: at, SIGNALBOX_API_KEY: adminKey },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  const out: string[] = []
  const said: string[] = []
  createInterface({ input: child.stdout }).on("line", (text) => out.push(text))
  createInterface({ input: child.stderr }).on("line", (text) => said.push(text))
  const ended = once(child, "close") as Promise<[number | null]>
  return { child, out, said, ended }
}

const patience = { timeout: 20_000 }

it("prints what is there, one line an event, and ends where it is told not to follow", async () => {
  expect(await linesOf("--no-follow")).toEqual([line.opened, line.created, line.happened])
  expect(await linesOf("--no-follow", "--after", "1")).toEqual([line.created, line.happened])
  expect(await linesOf("--no-follow", "--after", "3")).toEqual([])
  expect(await linesOf("pr_events", "--no-follow", "--after", "earliest")).toEqual([line.opened])
})

it.each([
  [
    ["--types", "github.**,linear.issue.*"],
    [line.opened, line.created],
  ],
  [
    ["--platforms", "linear, custom"],
    [line.created, line.happened],
  ],
  [["--entities", "ENG-123"], [line.created]],
  [["--actors", "dev"], [line.opened]],
  [["--filter", '{"platforms":["github","linear"]}', "--types", "*.issue.*"], [line.created]],
  [["--types", "nothing.at.all"], []],
])("%j narrow it", async (args, lines) => {
  expect(await linesOf("--no-follow", ...args)).toEqual(lines)
})

it("--json prints events as the hub sent them", async () => {
  const { lines } = await runCommand(tailCommand, ["--no-follow", "--json"], env)
  expect(lines[2]).toContain('"payload":{"n":9007199254740993}')
  const { values } = await runJsonCommand(tailCommand, ["--no-follow", "--types", "linear.**"], env)
  expect(values).toMatchObject([{ position: 2, entity: "linear:issue:ENG-123" }])
})

it.each([
  [["--after", "nowhere"], /--after takes a position/],
  [["--filter", "{"], /filter: it is not valid JSON/],
  [["--filter", '{"typo":1}'], /unknown key typo/],
  [["--types", "a.b", "--filter", '{"types":["c.d"]}'], /types is given both/],
  [["no_such_stream", "--no-follow"], /there is no stream "no_such_stream"/],
  [["--no-follow", "--after", "99"], /beyond the end of the log/],
  [["--no-follow", "--url", "http://127.0.0.1:9"], /no hub answers at http:\/\/127\.0\.0\.1:9: start one/],
  [["--url", "http://127.0.0.1:9"], /no hub answers/],
  [["--no-follow", "--key", "sb_wrong"], /401/],
])("%j is refused in words", async (args, words) => {
  await expect(linesOf(...args)).rejects.toMatchObject({
    name: "SignalboxError",
    message: expect.stringMatching(words),
  })
})

it("is cut off, says so, goes on, and says at Ctrl-C where it stopped", async () => {
  const proxy = await startProxy(url)
  const { child, out, said, ended } = follow(["--after", "2"], proxy.url)
  await expect.poll(() => out, patience).toEqual([line.happened])
  proxy.cutAll()
  await expect
    .poll(() => said, patience)
    .toEqual([
      expect.stringMatching(/^signalbox tail: the connection broke.*; again in \d\.\d s, from position 3$/),
    ])
  await logEvents(database.work, [{ type: "test.other.thing", occurredAt }])
  await expect.poll(() => out, patience).toHaveLength(2)
  expect(said[1]).toBe("signalbox tail: connected again, at position 3")
  child.kill("SIGINT")
  expect(await ended).toEqual([0, null])
  expect(said.slice(2)).toEqual([
    "signalbox tail: stopped at position 4; the same with --after 4 goes on from there",
  ])
  expect(out.join("\n")).not.toContain("\u001B")
})

it("tells of what retention has dropped, and goes on behind it", async () => {
  const [before] = await logEvents(database.work, [{ type: "test.before.gap", occurredAt }])
  const holder = await database.work.connect()
  await holder.query("begin")
  const [dropped] = await logEventsIn(holder, [{}])
  for (const sql of ["delete from event_log where event_id = $1", "delete from events where id = $1"]) {
    await holder.query(sql, [dropped?.id])
  }
  await holder.query("commit")
  holder.release()
  const { rows } = await database.work.query<{ position: number }>(
    "select position from event_log where event_id = $1",
    [before?.id],
  )
  const at = rows[0]?.position ?? 0
  const after = ["--after", String(at - 1), "--no-follow"]
  const { out, said, ended } = follow(after)
  expect(await ended).toEqual([0, null])
  expect(out).toEqual(["2026-11-20T10:00:00Z  custom      test.before.gap"])
  expect(said).toEqual([`signalbox tail: positions ${at + 1} to ${at + 1} are past retention`])
  const { values } = await runJsonCommand(tailCommand, [...after, "--types", "a.b"], env)
  expect(values).toEqual([{ gap: { from: at + 1, to: at + 1 } }])
})

it("ends without a complaint when its reader has seen enough", async () => {
  const { child, out, said, ended } = follow(["--after", "earliest", "--json"])
  await expect.poll(() => out.length, patience).toBeGreaterThan(1)
  child.stdout.destroy()
  const client = createClient({ url, key: adminKey })
  do await client.submit({ type: "test.more.things" })
  while (!(await Promise.race([ended.then(() => true), sleep(50, false)])))
  expect(await ended).toEqual([0, null])
  expect(said).toEqual([])
})

it("has colours on a terminal, where NO_COLOR does not ask for none", () => {
  expect(takesColours({ isTTY: true }, {})).toBe(true)
  expect(takesColours({ isTTY: true }, { NO_COLOR: "" })).toBe(true)
  expect(takesColours({ isTTY: true }, { NO_COLOR: "1" })).toBe(false)
  expect(takesColours({}, {})).toBe(false)
  const event: ClientEvent = {
    id: "e",
    position: 1,
    tenant: "default",
    platform: "github",
    source: "default",
    type: "github.push.pushed",
    name: "push",
    deliveryId: "d",
    actor: { id: "7", name: "dev", bot: false },
    entity: "github:branch:acme/api@main",
    references: [],
    title: "One",
    url: null,
    priority: "critical",
    occurredAt: null,
    receivedAt: "2026-11-20T10:00:00.123Z",
    correlationId: "c",
    causationId: null,
    backfilled: false,
    payload: {},
  }
  const coloured = tailLine(event, true)
  const plain = tailLine(event, false)
  expect(coloured).toContain("\u001B[35mgithub")
  expect(stripVTControlCharacters(coloured)).toBe(plain)
  expect(plain).toBe(
    `2026-11-20T10:00:00Z  github      ${"github.push.pushed".padEnd(38)}  One  by dev  github:branch:acme/api@main`,
  )
})

import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { correlationCommand } from "../../src/cli/commands/correlation/index.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createProcessor } from "../../src/processing/processor.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { systemClock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { newEvent, submit, untilLogged } from "../processing/support.ts"
import { testDatabase } from "../support/database.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"

const database = await testDatabase()
const folder = await mkdtemp(join(tmpdir(), "signalbox-rules-"))
afterAll(() => rm(folder, { recursive: true }))

const pull = pullRequestOpened(
  pullRequest({
    number: 7,
    title: "ENG-7: Change limits",
    body: "",
    branch: "limits",
    author: "dev",
    openedAt: new Date("2026-11-21T10:00:00Z"),
  }),
)

/** Types near the names of platforms, which a rule may read all the same. */
const events = [
  ...["stack.deployed", "customer.created", "incident.opened"].map((type, index) =>
    newEvent(
      { type, title: `ENG-${index + 1} is named`, entity: `incident:inc:${index}` },
      { type, name: type },
    ),
  ),
  newEvent(null, {
    platform: "github",
    headers: pull.headers,
    type: "github.pull_request.opened",
    name: "pull_request:opened",
    raw: Buffer.from(pull.body),
  }),
]

beforeAll(async () => {
  const queue = createQueue({ url: database.url, log: silentLog })
  const { correlate } = createCorrelation({ platforms })
  const processor = createProcessor({
    database,
    queue,
    platforms,
    correlate,
    clock: systemClock,
    log: silentLog,
  })
  await queue.start()
  await processor.start()
  await untilLogged(database, await submit(database, queue, events))
  await processor.stop()
  await queue.stop()
})

const env = { DATABASE_URL: database.url }
let files = 0

/** The arguments of a dry run of a rule with this `on` and this `find`. */
async function dryRunOf(on: string, find = "() => []"): Promise<string[]> {
  const file = join(folder, `rule-${files++}.mjs`)
  await writeFile(file, `export const rule = { name: "tried", version: 1, on: ${on}, find: ${find} }`)
  return ["dry-run", "--rule", file]
}

it.each([
  ['"gihub.push.*"', '"gihub.push.*" reads nothing', 'did you mean "github.push.*"?'],
  ['["custom", "linaer.issue.*"]', '"linaer.issue.*" reads nothing', 'did you mean "linear.issue.*"?'],
  ['"github.pul_request.*"', '"github.pul_request.*" reads nothing', 'did you mean "github.pull_request.*"?'],
])("a rule on %s is told which type is near", async (on, said, meant) => {
  const mistake = runCommand(correlationCommand, await dryRunOf(on), env)
  await expect(mistake).rejects.toMatchObject({ code: "bad_request", message: expect.stringContaining(said) })
  await expect(mistake).rejects.toThrow(meant)
})

it("a type that is like a platform's name is read where there are such events", async () => {
  const { status, lines } = await runCommand(
    correlationCommand,
    await dryRunOf(
      '["stack.*", "customer.created", "**.opened"]',
      '() => [{ to: "custom:x:1", relation: "r" }]',
    ),
    env,
  )
  expect(status).toBe(0)
  expect(lines.join("\n")).toContain("links: 4 added (4 r weak)")
  expect(lines.join("\n")).not.toContain("fits no event")
})

it("a type of which there is no event is told, since no change says nothing then", async () => {
  const args = await dryRunOf('["incident.closed", "github.issues.*", "github"]')
  const { status, lines } = await runCommand(correlationCommand, args, env)
  expect(status).toBe(0)
  expect(lines.filter((line) => line.startsWith("rule "))).toEqual([
    'rule tried: "incident.closed" fits no event that was read',
    'rule tried: "github.issues.*" fits no event that was read',
  ])
  const { values } = await runJsonCommand(correlationCommand, args, env)
  expect(values.at(-1)).toMatchObject({
    idle: [
      { rule: "tried", on: "incident.closed" },
      { rule: "tried", on: "github.issues.*" },
    ],
  })
})

it("several rules are tried, and several left out, at once", async () => {
  const one = await dryRunOf('"custom"', '() => [{ to: "custom:x:1", relation: "r" }]')
  const other = join(folder, "other.mjs")
  await writeFile(
    other,
    'export const rule = { name: "other", version: 1, on: "github", find: () => [{ to: "custom:x:1", relation: "s" }] }',
  )
  const args = [
    ...one,
    "--rule",
    other,
    "--without",
    "mention",
    "--without",
    "pull_request_title_names_issue",
  ]
  const { values } = await runJsonCommand(correlationCommand, args, env)
  expect(values.at(-1).counts).toEqual({
    "added r weak": 3,
    "added s weak": 1,
    "removed mentions weak": 3,
    "removed implements strong": 1,
  })
})

it("a rule that writes to what it is given fails, and is not held for a change", async () => {
  const find =
    '(event, normalized, references) => { references.length = 0; normalized.entity = "custom:x:9"; return [] }'
  const { status, lines } = await runCommand(correlationCommand, await dryRunOf('"**"', find), env)
  expect(status).toBe(1)
  expect(lines[0]).toBe("links: 0 added, 0 removed, 0 changed")
  expect(lines.join("\n")).toMatch(
    /^rule tried failed on 4 events, first on \S+: Cannot assign to read only/m,
  )
})

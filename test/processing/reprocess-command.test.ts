import { mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { reprocessCommand } from "../../src/cli/commands/reprocess.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import type { RuleDefinition } from "../../src/correlation/rule.ts"
import { platforms } from "../../src/platforms/index.ts"
import { testDatabase } from "../support/database.ts"
import { runCommand } from "../support/run-command.ts"
import { newEvent, startProcessor, submit, untilLogged } from "./support.ts"

const database = await testDatabase()
const env = { DATABASE_URL: database.url, SIGNALBOX_ADMIN_KEY: "an admin key of thirty-two letters" }
const run = (...args: string[]) => runCommand(reprocessCommand, [...args, "--json"], env)

/** A rule that ties an incident to what its title names after a word. */
const causedBy = (version: number, word: string): RuleDefinition => ({
  name: "caused_by",
  version,
  on: "custom",
  find: ({ title, entity }) => {
    const to = new RegExp(`${word}: (\\S+)`).exec(title ?? "")?.[1]
    return to === undefined || entity === null ? [] : [{ to, relation: "caused_by" }]
  },
})

const file = async (...rules: [version: number, word: string][]): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), "signalbox-rules-")), "rules.mjs")
  const [[version, word] = [1, "cause"]] = rules
  await writeFile(
    path,
    `export const rule = { name: "caused_by", version: ${version}, on: "custom", find: ({ title, entity }) => {
       const to = /${word}: (\\S+)/.exec(title ?? "")?.[1]
       return to === undefined ? [] : [{ to, relation: "caused_by" }]
     } }`,
  )
  return path
}

const incident = (number: number, title: string) =>
  newEvent(
    { type: "incident.opened", title, entity: `incident:inc:${number}` },
    { type: "incident.opened", name: "incident.opened" },
  )

async function links(): Promise<string[]> {
  const { rows } = await database.work.query<{ link: string }>(
    `select from_entity || ' ' || relation || ' ' || to_entity || ' ' || rule || ' ' || rule_version as link
     from event_correlations where relation = 'caused_by' order by 1`,
  )
  return rows.map(({ link }) => link)
}

test("links of a rule that was not given stop it before they are dropped", async () => {
  const correlation = createCorrelation({ platforms })
  correlation.rule(causedBy(1, "cause"))
  const { queue } = await startProcessor(database, { platforms, correlate: correlation.correlate })
  const events = [
    incident(1, "cause: linear:issue:ENG-1 culprit: linear:issue:ENG-2"),
    incident(2, "cause: linear:issue:ENG-3"),
    ...Array.from({ length: 500 }, (_, index) =>
      incident(10 + index, `culprit: linear:issue:ENG-${10 + index}`),
    ),
  ]
  await untilLogged(database, await submit(database, queue, events))
  const before = await links()
  expect(before).toEqual([
    "incident:inc:1 caused_by linear:issue:ENG-1 caused_by 1",
    "incident:inc:2 caused_by linear:issue:ENG-3 caused_by 1",
  ])
  await expect(run()).rejects.toThrow(/rule caused_by.*--rule.*--without caused_by/)
  expect(await links()).toEqual(before)
})

test("a rule of another version makes the links that it would always have made, and no others stay", async () => {
  const { status, lines } = await run("--rule", await file([2, "culprit"]))
  expect(status).toBe(0)
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    events: 502,
    of: 502,
    mended: 502,
    failed: 0,
    position: 502,
    complete: true,
  })
  const found = await links()
  expect(found).toHaveLength(501)
  expect(found[0]).toBe("incident:inc:1 caused_by linear:issue:ENG-2 caused_by 2")
  expect(found.filter((link) => !link.endsWith(" 2"))).toEqual([])
})

test("a rule that fails keeps the links that it has made of the events at which it fails", async () => {
  const before = await links()
  const path = join(await mkdtemp(join(tmpdir(), "signalbox-rules-")), "fails.mjs")
  await writeFile(
    path,
    `export const rule = { name: "caused_by", version: 3, on: "custom", find: ({ title, entity }) => {
       if (Number(entity.split(":")[2]) < 500) throw new Error("no such board")
       return [{ to: "linear:issue:ENG-1", relation: "caused_by" }]
     } }`,
  )
  const { status, lines } = await run("--rule", path)
  const { rows } = await database.work.query<{ id: string }>(
    "select event_id as id from event_log where position = 1",
  )
  expect(status).toBe(1)
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    mended: 502,
    failed: 0,
    faults: [{ rule: "caused_by", events: 492, eventId: rows[0]?.id, message: "no such board" }],
    complete: true,
  })
  const [kept, made] = [2, 3].map((version) => new RegExp(` ${version}$`))
  const after = await links()
  expect(after.filter((link) => kept?.test(link))).toEqual(
    before.filter((link) => Number(link.split(" ", 1)[0]?.split(":")[2]) < 500),
  )
  expect(after.filter((link) => made?.test(link))).toHaveLength(10)

  const said = await runCommand(reprocessCommand, ["--rule", path], env)
  expect([said.status, said.lines.slice(0, 2)]).toEqual([
    1,
    [
      `rule caused_by failed on 492 events, first on ${rows[0]?.id}: no such board; the links that it had made of them stay`,
      "502 of 502 events derived anew",
    ],
  ])
  expect(await links()).toEqual(after)
  const { rows: recorded } = await database.work.query("select name, version from correlation_rules")
  expect(recorded).toEqual([{ name: "caused_by", version: 2 }])
  await run("--rule", await file([2, "culprit"]))
  expect(await links()).toEqual(before)
})

test("it goes on after a position, and keeps to what it was asked for", async () => {
  const rule = await file([3, "culprit"])
  const { lines } = await run("--rule", rule, "--after", "500")
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ events: 2, position: 502, complete: true })
  expect((await links()).filter((link) => link.endsWith(" 3"))).toHaveLength(2)

  const about = await run("--rule", rule, "--entity", "incident:inc:1")
  expect(JSON.parse(about.lines.at(-1) ?? "")).toMatchObject({ events: 1, position: 1 })
  for (const none of [
    ["--platform", "github"],
    ["--until", "1h"],
    ["--since", "0"],
    ["--tenant", "other"],
  ]) {
    const { status, lines: said } = await run("--rule", rule, ...none)
    expect([none, status, JSON.parse(said.at(-1) ?? "")]).toMatchObject([none, 0, { events: 0 }])
  }
})

test("a rule that is gone leaves nothing behind", async () => {
  const { status } = await run("--without", "caused_by")
  expect(status).toBe(0)
  expect(await links()).toEqual([])
})

test("a built-in rule cannot be gone, since every hub makes its links again", async () => {
  const before = await database.work.query("select * from event_correlations order by event_id, to_entity")
  await expect(run("--without", "caused_by", "--without", "mention")).rejects.toThrow(
    /mention is a built-in rule.*a rule of that name.*--rule/,
  )
  const after = await database.work.query("select * from event_correlations order by event_id, to_entity")
  expect(after.rows).toEqual(before.rows)
  expect(before.rows).not.toHaveLength(0)
})

test("what it cannot read is told and harms nothing", async () => {
  await expect(run("--platform", "gitlab")).rejects.toThrow(/--platform takes one of github, /)
  await expect(run("--entity", "limits")).rejects.toThrow(/names nothing: give an issue/)
  await expect(run("--since", "yesterday")).rejects.toThrow(/--since must be a time .* or how long ago/)
  await expect(run("--after", "-1")).rejects.toThrow(/--after/)
})

import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest"
import { correlationCommand } from "../../src/cli/commands/correlation/index.ts"
import { reprocessCommand } from "../../src/cli/commands/reprocess.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { replaceRules } from "../../src/correlation/replace-rules.ts"
import type { RuleDefinition } from "../../src/correlation/rule.ts"
import { platforms } from "../../src/platforms/index.ts"
import { newEvent, startProcessor, submit, untilLogged } from "../processing/support.ts"
import { testDatabase } from "../support/database.ts"
import { runCommand } from "../support/run-command.ts"
import { eventOf, normalizedOf, shortLinks } from "./support.ts"

const incident = "custom:incident:7"
const issue = "linear:issue:ENG-123"
const caused: RuleDefinition = {
  name: "caused_by",
  version: 1,
  find: () => [{ to: issue, relation: "caused_by" }],
}

/** What is made of an incident's event, again and again, by rules that may take so long. */
function limited(maxMs: number, ...definitions: RuleDefinition[]) {
  const rules = replaceRules([], definitions, new Set(), { maxMs })
  const normalized = normalizedOf({ type: "incident.opened", entity: incident })
  const event = eventOf(normalized, { platform: "custom" })
  const { correlate } = createCorrelation({ platforms, rules })
  return () => correlate(event, normalized)
}

const forever = (): never => {
  for (;;);
}

it.each<[string, RuleDefinition["find"]]>([
  ["never returns", forever],
  [
    "takes every error for its own",
    () => {
      for (;;) {
        try {
          forever()
        } catch {
          // again
        }
      }
    },
  ],
  ["searches without end", () => (/^(?:a+)+$/.test(`${"a".repeat(60)}b`) ? [] : [])],
])("a rule that %s fails by name, and the others make their links", (_, find) => {
  const { links, failures } = limited(100, { name: "endless", version: 1, find }, caused)()
  expect(failures).toEqual([{ rule: "endless", ruleVersion: 1, error: new Error("took longer than 0.1 s") }])
  expect(shortLinks({ links })).toEqual([`${incident} -caused_by-> ${issue} (weak, caused_by)`])
})

it("a rule that has taken too long ten times is not asked again", () => {
  let asked = 0
  const correlate = limited(20, { name: "endless", version: 1, find: () => (asked++, forever()) }, caused)
  const said = Array.from({ length: 12 }, () => correlate()).map(({ failures }) => String(failures[0]?.error))
  expect(asked).toBe(10)
  expect(said[9]).toBe("Error: took longer than 0.02 s")
  expect(said[10]).toBe("Error: took longer than 0.02 s on 10 events, and is not asked again")
})

it("a rule that answers in time is not touched, nor is what it throws", () => {
  const thrown = new TypeError("no such board")
  const broken: RuleDefinition = {
    name: "broken",
    version: 1,
    find: () => {
      throw thrown
    },
  }
  const { links, failures } = limited(60_000, caused, broken)()
  expect(links).toHaveLength(1)
  expect(failures.map(({ error }) => error)).toEqual([thrown])
})

const database = await testDatabase()
const folder = await mkdtemp(join(tmpdir(), "signalbox-rules-"))
afterAll(() => rm(folder, { recursive: true }))
const file = join(folder, "endless.mjs")
const env = { DATABASE_URL: database.url, SIGNALBOX_ADMIN_KEY: "an admin key of thirty-two letters" }

beforeAll(() =>
  writeFile(
    file,
    `export const endless = { name: "endless", version: 1, find: (event) => {
       if (event.title !== "waits") return []
       process.stderr.write("asked\\n")
       for (;;);
     } }`,
  ),
)

it("commands go on after a rule that never returns, and a dry run ends where it is interrupted", async () => {
  const { correlate } = createCorrelation({ platforms })
  const { queue } = await startProcessor(database, { platforms, correlate })
  const events = ["waits", "quick", "waits", "waits"].map((title, index) =>
    newEvent(
      { type: "incident.opened", title, entity: `incident:inc:${index}` },
      { type: "incident.opened", name: "incident.opened" },
    ),
  )
  const ids = await untilLogged(database, await submit(database, queue, events))

  const { status, lines } = await runCommand(correlationCommand, ["dry-run", "--rule", file], env)
  expect([status, lines.slice(-2)]).toEqual([
    1,
    [
      `rule endless failed on 3 events, first on ${ids[0]}: took longer than 1 s`,
      "4 events read; nothing was written",
    ],
  ])

  const derived = await runCommand(reprocessCommand, ["--rule", file], env)
  expect([derived.status, derived.lines.slice(0, 2)]).toEqual([
    1,
    [
      `rule endless failed on 3 events, first on ${ids[0]}: took longer than 1 s; the links that it had made of them stay`,
      "4 of 4 events derived anew",
    ],
  ])

  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname
  const child = spawn(process.execPath, [main, "correlation", "dry-run", "--rule", file], {
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let said = ""
  child.stdout.on("data", (data: Buffer) => (said += String(data)))
  await once(child.stderr, "data")
  child.kill("SIGINT")
  expect(await once(child, "close")).toEqual([130, null])
  expect(said).toContain(`first on ${ids[0]}: took longer than 1 s`)
  expect(said).toMatch(/interrupted after 1 of 4 events; nothing was written; go on with --after 1$/m)
}, 60_000)

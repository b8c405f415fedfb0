import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it, onTestFinished } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { correlationCommand } from "../../src/cli/commands/correlation/index.ts"
import { reprocessCommand } from "../../src/cli/commands/reprocess.ts"
import { silentLog, type Log } from "../../src/core/log.ts"
import { builtInRules } from "../../src/correlation/rules/index.ts"
import { createHub, type HubOptions } from "../../src/hub.ts"
import { testDatabase } from "../support/database.ts"
import { loadSigner } from "../support/fixtures.ts"
import { adminKey, sendWebhook, until } from "../support/hub.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"

const database = await testDatabase()
const secrets = { github: [(await loadSigner("github"))?.secrets[0] ?? ""] }
const folder = await mkdtemp(join(tmpdir(), "signalbox-rules-"))
afterAll(() => rm(folder, { recursive: true }))

/** A file of a rule that ties a pull request to the board that its body names. */
async function boards(version: number, name = "on_board"): Promise<string> {
  const file = join(folder, `${name}-${version}.mjs`)
  await writeFile(
    file,
    `export const rule = { name: "${name}", version: ${version}, on: "github.pull_request.*", find: (event) => {
       const [words, board] = /Board (\\d+)/.exec(event.payload.pull_request.body ?? "") ?? []
       return board === undefined ? [] : [{ to: "custom:board:" + board, relation: "on_board", strength: "strong",
         evidence: { field: "body", text: words } }]
     } }`,
  )
  return file
}

/** A hub that is stopped after the test, and what it warned of. */
async function startHub(options: HubOptions) {
  const warnings: string[] = []
  const log: Log = {
    ...silentLog,
    warn: (_: object, message: string) => void warnings.push(message),
    child: () => log,
  }
  const hub = createHub({
    databaseUrl: database.url,
    port: 0,
    host: "127.0.0.1",
    adminKey,
    secrets,
    env: {},
    log,
    ...options,
  })
  onTestFinished(() => hub.stop())
  await hub.start()
  return { hub, warnings, url: hub.url ?? "" }
}

const count = () => database.work.query<{ n: number }>("select count(*) as n from event_log")
let logged = 0
async function open(url: string, number: number): Promise<void> {
  const openedAt = new Date("2026-11-21T10:00:00Z")
  const pr = pullRequest({
    number,
    title: "X",
    body: "Board 7",
    branch: `x-${number}`,
    author: "dev",
    openedAt,
  })
  expect((await sendWebhook(url, "github", pullRequestOpened(pr))).ok).toBe(true)
  logged++
  await until(count, ({ rows }) => rows[0]?.n === logged)
}

async function links(): Promise<string[]> {
  const { rows } = await database.work.query<{ link: string }>(
    `select from_entity || ' ' || rule || ' ' || rule_version as link from event_correlations
     where relation = 'on_board' order by 1`,
  )
  return rows.map(({ link }) => link)
}

const reprocess = (...args: string[]) => runCommand(reprocessCommand, args, { DATABASE_URL: database.url })
const pr = (number: number) => `github:pull_request:acme/api#${number}`

it("a hub makes the links of the rules in the files that it is given", async () => {
  const first = await startHub({})
  await open(first.url, 70)
  expect(await links()).toEqual([])
  await first.hub.stop()
  const { hub, warnings, url } = await startHub({ env: { SIGNALBOX_RULES: await boards(1) } })
  expect([hub.correlation.rules(), warnings]).toEqual([[{ name: "on_board", version: 1 }], []])
  await open(url, 71)
  expect(await links()).toEqual([`${pr(71)} on_board 1`])
})

it("a hub tells which rules it runs", async () => {
  const { url } = await startHub({ ruleFiles: [await boards(2)] })
  const key = { SIGNALBOX_API_KEY: adminKey }
  const own = { name: "on_board", version: 2, builtIn: false, relation: null, strength: null }
  const { values: told } = await runJsonCommand(correlationCommand, ["rules", "--url", url], key)
  expect(told).toHaveLength(builtInRules.length + 1)
  expect(told.at(-1)).toMatchObject(own)
  expect(told[0]).toMatchObject({ name: "same_as", builtIn: true, relation: "same_as", strength: "strong" })
  const response = await fetch(`${url}/api/v1/links/rules`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  expect(await response.json()).toEqual({ rules: told })

  const here = await runJsonCommand(correlationCommand, ["rules"], {})
  expect(here.values).toHaveLength(builtInRules.length)
  const both = ["rules", "--url", url, "--rule", await boards(2)]
  await expect(runCommand(correlationCommand, both, key)).rejects.toThrow(/either --rule, or --url/)
  const dryRun = ["dry-run", "--url", url, "--without", "mention"]
  await expect(runCommand(correlationCommand, dryRun, key)).rejects.toThrow(/set DATABASE_URL/)
})

it("a hub that is started without one says so, in its log and where a link of it is explained", async () => {
  const { hub, warnings, url } = await startHub({})
  expect(hub.correlation.rules()).toEqual([])
  expect(warnings).toEqual([
    expect.stringMatching(/rule on_board \(version 1\).*does not run it.*--rule.*--without on_board/),
  ])
  const query = new URLSearchParams({ from: pr(71), to: "custom:board:7" }).toString()
  const response = await fetch(`${url}/api/v1/links/explain?${query}`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  expect(await response.json()).toMatchObject({
    verdict: "linked",
    counterEvidence: [
      { kind: "rule_absent", detail: expect.stringContaining("does not run the rule on_board") },
    ],
  })
})

const notHere =
  "a hub that is running goes on with the rules it was started with, which cannot be seen from here; it lists them as it starts"

it("reprocessing by a rule tells what new events need, and a hub of another version says what is stored", async () => {
  const { status, lines } = await reprocess("--rule", await boards(2))
  expect([status, lines.slice(-2)]).toEqual([
    0,
    [
      notHere,
      "for new events to get links of on_board (version 2), start it with the same files: serve --rule FILE, or SIGNALBOX_RULES",
    ],
  ])
  expect(await links()).toEqual([`${pr(70)} on_board 2`, `${pr(71)} on_board 2`])
  const older = await startHub({ ruleFiles: [await boards(1)] })
  expect(older.warnings).toEqual([expect.stringMatching(/runs version 1 of the rule on_board.*by version 2/)])
  await older.hub.stop()
  expect((await startHub({ ruleFiles: [await boards(2)] })).warnings).toEqual([])
})

it("reprocessing takes the rules that the hub is given by its environment, and those of the command before them", async () => {
  const env = { DATABASE_URL: database.url, SIGNALBOX_RULES: await boards(2) }
  await runCommand(reprocessCommand, [], env)
  expect(await links()).toEqual([`${pr(70)} on_board 2`, `${pr(71)} on_board 2`])
  await runCommand(reprocessCommand, ["--rule", await boards(3)], env)
  expect(await links()).toEqual([`${pr(70)} on_board 3`, `${pr(71)} on_board 3`])
  const { values } = await runJsonCommand(reprocessCommand, ["--rule", await boards(3)], env)
  expect(values.at(-1)).toMatchObject({ rules: [{ name: "on_board", version: 3 }] })
})

it("what is taken away must be there, and is forgotten once its links are gone", async () => {
  await expect(reprocess("--without", "on_bord")).rejects.toThrow(
    /there is no rule on_bord: --without takes one of .*mention.*on_board/,
  )
  const { lines } = await reprocess("--without", "on_board")
  expect(lines.slice(-2)).toEqual([
    notHere,
    "for new events to get no links of on_board, start it without the file",
  ])
  expect(await links()).toEqual([])
  expect((await reprocess()).lines).toEqual([expect.stringMatching(/^\d+ of \d+ events derived anew$/)])
  expect((await startHub({})).warnings).toEqual([])
})

it("a rule in a file may take the place of a built-in one, but not of another file's", async () => {
  const { hub, url } = await startHub({ ruleFiles: [await boards(9, "mention")] })
  expect(hub.correlation.rules()).toEqual([{ name: "mention", version: 9 }])
  await open(url, 72)
  expect(await links()).toEqual([`${pr(72)} mention 9`])
  await hub.stop()
  await expect(startHub({ ruleFiles: [await boards(1), await boards(2)] })).rejects.toThrow("exists already")
  await expect(startHub({ ruleFiles: [join(folder, "none.mjs")] })).rejects.toThrow("there is no file")
})

it("a rule whose name is misspelt is refused, beside others too", async () => {
  const file = join(folder, "misspelt.mjs")
  const others = 'export const other = { name: "other", version: 1, find: () => [] }'
  await writeFile(file, `${others}\nexport const rule = { Name: "boards", version: 1, find: () => [] }`)
  await expect(startHub({ ruleFiles: [file] })).rejects.toThrow("unknown member Name; did you mean name?")
})

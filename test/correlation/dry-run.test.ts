import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { toSecond, uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { limitsStory } from "../../fixtures/correlation/story.ts"
import { correlationCommand } from "../../src/cli/commands/correlation/index.ts"
import { createProgress } from "../../src/cli/progress.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { replaceRules } from "../../src/correlation/replace-rules.ts"
import { builtInRules } from "../../src/correlation/rules/index.ts"
import type { RuleDefinition } from "../../src/correlation/rule.ts"
import { platforms } from "../../src/platforms/index.ts"
import { dryRun, type DryRunOptions } from "../../src/processing/dry-run.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"

/** A rule that a hub has of its user, and as the user would change it. */
const tracked: RuleDefinition = {
  name: "tracked_by",
  version: 1,
  on: "github.pull_request.*",
  find: () => [{ to: "custom:board:old", relation: "tracked_by", strength: "strong", confidence: 0.7 }],
}

const hub = await startTestHub({ env: {} })
hub.hub.correlation.rule(tracked)

const folder = await mkdtemp(join(tmpdir(), "signalbox-rules-"))
afterAll(() => rm(folder, { recursive: true }))

async function ruleFile(name: string, source: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, source)
  return file
}

function opened(number: number, body: string): StoryRequest {
  const at = new Date("2026-11-21T10:00:00Z")
  return pullRequestOpened(
    pullRequest({
      number,
      title: "Change limits",
      body,
      branch: `x-${number}-y`,
      author: "dev",
      openedAt: at,
    }),
  )
}

function edited(request: StoryRequest, body: string): StoryRequest {
  const payload = JSON.parse(request.body)
  const updated_at = toSecond(new Date("2026-11-21T11:00:00Z"))
  return {
    ...request,
    headers: { ...request.headers, "x-github-delivery": uuidOf(`${request.label} edited`) },
    body: JSON.stringify({
      ...payload,
      action: "edited",
      pull_request: { ...payload.pull_request, body, updated_at },
    }),
  }
}

const requests = [
  ...limitsStory().requests,
  opened(71, "Board 7"),
  opened(72, "Board 8"),
  edited(opened(72, ""), "No board"),
]

const logged = () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log")

beforeAll(async () => {
  // What is sent while other events wait may be logged before them.
  for (const [index, request] of requests.entries()) {
    await sendWebhook(hub.url, request.platform, request)
    if (index < requests.length - 4) continue
    await until(logged, ({ rows }) => rows[0]?.n === index + 1)
  }
}, 60_000)

const env = { DATABASE_URL: hub.database.url }
const run = (...args: string[]) => runCommand(correlationCommand, ["dry-run", ...args], env)

async function changes(...args: string[]) {
  const { status, values } = await runJsonCommand(correlationCommand, ["dry-run", ...args], env)
  return { status, changes: values.slice(0, -1), summary: values.at(-1) }
}

const toTexts = ({ from, to }: { from: Date; to: Date }) => ({
  from: from.toISOString(),
  to: to.toISOString(),
})

/** The whole database, but for what PostgreSQL counts itself. */
async function contents() {
  const { rows } = await hub.database.work.query(
    `select (select json_agg(c order by c) from event_correlations c) as links,
       (select count(*) from event_references) as refs, (select max(position) from event_log) as head`,
  )
  return rows[0]
}

const boards = `export const boards = {
  name: "board_of",
  version: 1,
  on: "github.pull_request.*",
  find: (event, normalized) => {
    const text = normalized.texts.find(({ field }) => field === "body")
    const match = /Board (\\d+)/.exec(text?.text ?? "")
    if (match === null) return []
    const evidence = { field: "body", text: match[0], start: match.index, end: match.index + match[0].length }
    return [{ to: "custom:board:" + match[1], relation: "on_board", strength: "strong", evidence, document: DOCUMENT }]
  },
}
`

/** The same rule, whose evidence is in a field that no state tells of: nothing withdraws its links. */
const lasting = boards.replace('{ field: "body"', '{ field: "board"').replace("DOCUMENT", "undefined")

describe("a dry run of a new rule", () => {
  it("shows the links it would add, with their evidence, and writes nothing", async () => {
    const before = await contents()
    const file = await ruleFile("boards.mjs", lasting)
    const { status, changes: found, summary } = await changes("--rule", file)
    expect(status).toBe(0)
    expect(found.map(({ kind, after }) => [kind, after.from, after.to, after.evidence.text])).toEqual([
      ["added", "github:pull_request:acme/api#71", "custom:board:7", "Board 7"],
      ["added", "github:pull_request:acme/api#72", "custom:board:8", "Board 8"],
    ])
    expect(summary).toMatchObject({
      counts: { "added on_board strong": 2 },
      joins: {
        added: 2,
        removed: 0,
        groups: [71, 72].map((number) => ({
          entities: [`github:pull_request:acme/api#${number}`, `custom:board:${number - 64}`],
          size: 2,
        })),
      },
      events: requests.length,
      of: requests.length,
      complete: true,
    })
    expect(await contents()).toEqual(before)
  })

  it("of a window without events says so, and from when to when there are some", async () => {
    const window = ["--without", "mention", "--since", "2020-01-01", "--until", "2020-02-01T00:00:00+01:00"]
    const { rows } = await hub.database.work.query<{ from: Date; to: Date }>(
      'select uuidv7_time(min(id::text)::uuid) as "from", uuidv7_time(max(id::text)::uuid) as "to" from events',
    )
    const [from, to] = [rows[0]?.from, rows[0]?.to].map((time) => time?.toISOString().replace(".000Z", "Z"))
    const { status, lines } = await run(...window)
    expect([status, ...lines.slice(-2)]).toEqual([
      0,
      "0 events read; nothing was written",
      `there is nothing in that window: the history here is of events received from ${from} to ${to}`,
    ])
    expect((await changes(...window)).summary).toMatchObject({
      events: 0,
      history: rows[0] && toTexts(rows[0]),
    })
    expect((await run("--without", "mention", "--tenant", "other")).lines.at(-1)).toBe(
      "there is no event of tenant other at all",
    )
    expect((await changes("--without", "mention")).summary).not.toHaveProperty("history")
  })

  it("leaves out what a later edit has withdrawn since", async () => {
    const { rows } = await hub.database.work.query<{ entity: string }>(
      "select distinct entity from entity_states where entity like 'github:pull_request%72' limit 1",
    )
    const document = JSON.stringify(rows[0]?.entity).replace(/72"$/, `" + event.entity.split("#")[1]`)
    const file = await ruleFile("stated.mjs", boards.replace("DOCUMENT", document))
    const { changes: found } = await changes("--rule", file)
    expect(found.map(({ after }) => after.to)).toEqual(["custom:board:7"])
    const unsaid = await ruleFile("unsaid.mjs", boards.replace("DOCUMENT", "undefined"))
    expect((await changes("--rule", unsaid)).changes.map(({ after }) => after.to)).toEqual(["custom:board:7"])
  })

  it("goes on from where another one ended, and sees no more than its window", async () => {
    const file = await ruleFile("boards.mjs", lasting)
    const { rows } = await hub.database.work.query<{ position: number }>(
      "select position from event_log where entity = 'github:pull_request:acme/api#71'",
    )
    const { changes: rest, summary } = await changes("--rule", file, "--after", String(rows[0]?.position))
    expect(rest.map(({ after }) => after.to)).toEqual(["custom:board:8"])
    expect(summary).toMatchObject({ events: 2, of: 2, position: requests.length })
    expect((await changes("--rule", file, "--until", "1h")).summary).toMatchObject({
      events: 0,
      complete: true,
    })
    expect((await changes("--rule", file, "--tenant", "other")).summary).toMatchObject({ events: 0 })
  })
})

/** A rule that ties pull requests by the first word of their title, and links with these options. */
const words = (
  options: string,
) => `export const rule = { name: "by_word", version: 1, on: "github.pull_request.*",
  find: ({ title }) => [{ to: "custom:word:" + title.split(" ")[0].toLowerCase(), relation: "by_word"${options} }] }`

describe("a dry run", () => {
  it("tells which timelines strong links would join", async () => {
    const { lines } = await run("--rule", await ruleFile("joins.mjs", words(', strength: "strong"')))
    const said = lines.join("\n")
    expect(said).toMatch(/^timelines: \d+ strong links more, 0 fewer$/m)
    expect(said).toMatch(/^ {2}joined, each with all that is tied to it: .*#71, custom:word:change, .*#72/m)
  })

  it("tells that weak ones join none, and that a rule gives no words", async () => {
    const { lines } = await run("--rule", await ruleFile("weak.mjs", words("")))
    expect(lines.join("\n")).toContain("timelines: none changes, since no strong link does")
    expect(lines[0]).toContain("(weak 1, by_word 1; no words, since the rule gives no evidence; ")
  })

  it("tells of the timelines that come apart", async () => {
    const { summary } = await changes("--without", "reverts", "--without", "reply_in_thread")
    expect(summary.joins.removed).toBeGreaterThan(1)
    expect(summary.joins.groups).toEqual([])
  })
})

describe("the rules", () => {
  it("are listed with what each is for, those of files last", async () => {
    const file = await ruleFile("listed.mjs", boards.replace("DOCUMENT", "undefined"))
    const { values } = await runJsonCommand(correlationCommand, ["rules", "--rule", file], env)
    expect(values.map(({ name }) => name)).toEqual([...builtInRules.map(({ name }) => name), "board_of"])
    expect(values[0]).toMatchObject({ name: "same_as", version: 1, builtIn: true, strength: "strong" })
    expect(values.at(-1)).toMatchObject({ name: "board_of", version: 1, builtIn: false, relation: null })
    const { lines } = await runCommand(correlationCommand, ["rules"], { SIGNALBOX_RULES: file })
    expect(lines[0]).toMatch(/^name +version +relation +strength +reads$/)
    expect(lines.find((line) => line.startsWith("reverts "))).toMatch(/ 1 +reverts +strong +what the title/)
    expect(lines.find((line) => line.startsWith("cherry_picks "))).toMatch(
      / \(weak where one field names more than 10\)$/,
    )
    expect(lines.at(-1)).toMatch(/^board_of +1 +a rule of your own$/)
  })
})

describe("a dry run of a changed rule", () => {
  it("takes the place of a built-in one of that name", async () => {
    const file = await ruleFile(
      "quiet.mjs",
      `export default [{ name: "reverts", version: 9, find: () => [] }]`,
    )
    const { changes: found, summary } = await changes("--rule", file)
    expect(found.filter(({ before }) => before?.rule === "reverts").map(({ kind }) => kind)).toContain(
      "removed",
    )
    expect(await changes("--without", "reverts")).toMatchObject({ summary: { counts: summary.counts } })
  })

  it("is compared with what is stored, where it is the user's own", async () => {
    const file = await ruleFile(
      "tracked.mjs",
      `export const rule = { name: "tracked_by", version: 2, on: "github.pull_request.*", find: (event) => [
        { to: "custom:board:old", relation: "tracked_by", confidence: 0.7, strength: event.entity.endsWith("#71") ? "weak" : "strong" },
      ] }`,
    )
    const { changes: found } = await changes("--rule", file)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({
      kind: "changed",
      before: { from: "github:pull_request:acme/api#71", strength: "strong", ruleVersion: 1 },
      after: { strength: "weak", ruleVersion: 2 },
    })
    const { summary } = await changes("--without", "tracked_by")
    expect(Object.keys(summary.counts)).toEqual(["removed tracked_by strong"])
  })
})

describe("what a dry run prints", () => {
  it("is for people, cut at a limit and counted whole", async () => {
    const { status, lines } = await run("--without", "tracked_by", "--limit", "1")
    expect(status).toBe(0)
    expect(lines[0]).toMatch(
      /^- github:pull_request:acme\/api#\d+ tracked_by custom:board:old {2}\(strong 0\.7/,
    )
    expect(lines[1]).toMatch(/^… and \d+ more/)
    expect(lines[3]).toMatch(/^timelines: 0 strong links more, \d+ fewer$/)
    expect(lines[2]).toMatch(/^links: 0 added, \d+ removed \(\d+ tracked_by strong\), 0 changed$/)
    expect(lines.at(-1)).toBe(`${requests.length} events read; nothing was written`)
  })

  it("shows how far it is on a terminal alone", () => {
    const written: string[] = []
    const write = (text: string) => written.push(text) > 0
    createProgress("events", { isTTY: false, write }).show(1, 2)
    expect(written).toEqual([])
    createProgress("events", { isTTY: true, write }).show(1_000, 20_000)
    expect(written.join("")).toMatch(/1,000 of 20,000 events, [\d,]+\/s, \d+ (?:s|min|h) left/)
  })
})

describe("a rule that is wrong", () => {
  it("ends with 1 where it throws, and names the first event", async () => {
    const file = await ruleFile(
      "throws.mjs",
      `export const rule = { name: "bad", version: 1, on: "slack", find: () => { throw new Error("no such board") } }`,
    )
    const { status, lines } = await run("--rule", file)
    expect(status).toBe(1)
    expect(lines.join("\n")).toMatch(/rule bad failed on \d+ events, first on [0-9a-f-]{36}: no such board/)
  })

  it.each(["tracked_by", "reverts"])("that throws where %s has made links keeps these", async (name) => {
    const source = `export const rule = { name: "${name}", version: 9, find: () => { throw new Error("no such board") } }`
    const { status, changes: found, summary } = await changes("--rule", await ruleFile(`${name}.mjs`, source))
    expect([status, found.filter(({ before }) => before?.rule === name)]).toEqual([1, []])
    expect(summary.faults).toMatchObject([{ rule: name, events: requests.length, message: "no such board" }])
  })

  it.each([
    ["is not there", "absent.mjs", null, "there is no file"],
    ["does not parse", "syntax.mjs", "export const = 1", "cannot be loaded: "],
    ["exports no rule", "empty.mjs", "export const x = 1", "exports no rule, such as"],
    [
      "has no version",
      "version.mjs",
      'export const x = { name: "x", find: () => [] }',
      "its version must be",
    ],
    [
      "comes twice",
      "twice.mjs",
      'const a = { name: "x", version: 1, find() {} }; export const b = { ...a }; export default a',
      "exists already",
    ],
    [
      "has no find, beside one that has",
      "finds.mjs",
      'export const x = { name: "x", version: 1, finds: () => [] }; export const y = { name: "y", version: 1, find: () => [] }',
      'correlation rule "x": its find must be a function (did you mean its "finds" to be it?)',
    ],
  ])("is refused with the mend where it %s", async (_, name, source, message) => {
    const file = source === null ? join(folder, name) : await ruleFile(name, source)
    await expect(run("--rule", file)).rejects.toThrow(message)
  })

  it("is refused where it is to be taken away and is not there", async () => {
    await expect(run("--without", "tracked_bi")).rejects.toThrow(
      /there is no rule tracked_bi: --without takes one of .*mention.*reverts/,
    )
  })

  it("is asked for, and its window too", async () => {
    await expect(run()).rejects.toThrow("say which rule is tried")
    await expect(run("--without", "mention", "--since", "soon")).rejects.toThrow(
      "--since must be a time such as 2026-11-01T00:00:00Z, a date such as 2026-11-01, or how long ago: 90s, 30m, 24h, 7d, or 0",
    )
    await expect(run("--without", "mention", "--since", "2026-11-01T10:00:00")).rejects.toThrow(
      "--since has no zone: 2026-11-01T10:00:00Z is UTC",
    )
    await expect(run("--without", "mention", "--since", "1d", "--until", "2d")).rejects.toThrow(
      "--until must be later",
    )
    await expect(run("--without", "mention", "--after", "latest")).rejects.toThrow(
      "--after takes a whole number",
    )
    await expect(runCommand(correlationCommand, ["dryrun"], {})).rejects.toThrow(
      /say correlation rules .*, or correlation dry-run/,
    )
  })
})

describe("an interrupted dry run", () => {
  it("keeps what it knows, and says where to go on", async () => {
    const rules = replaceRules(builtInRules, [], new Set(["tracked_by"]))
    const stop = new AbortController()
    const options: DryRunOptions = {
      database: hub.database,
      tenant: "default",
      platforms,
      before: createCorrelation({ platforms }).correlate,
      after: createCorrelation({ platforms, rules }).correlate,
      rules: new Set(["tracked_by"]),
      stored: ["tracked_by"],
      selectors: [],
      window: { since: new Date(0), after: 0 },
      signal: stop.signal,
      eventsAtOnce: 5,
    }
    const first = await dryRun({ ...options, onProgress: ({ events }) => events >= 15 && stop.abort() })
    expect(first).toMatchObject({ events: 15, of: requests.length, complete: false, position: 15 })
    const rest = await dryRun({
      ...options,
      window: { since: new Date(0), after: first.position },
      signal: new AbortController().signal,
    })
    expect(rest).toMatchObject({ events: requests.length - 15, complete: true })
    expect(first.changes.length + rest.changes.length).toBeGreaterThan(0)
  })
})

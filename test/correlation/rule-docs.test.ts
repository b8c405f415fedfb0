import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { toSecond, uuidOf } from "../../fixtures/correlation/request.ts"
import { builtInRules } from "../../src/correlation/rules/index.ts"
import { createExtractor } from "../../src/correlation/extract-record.ts"
import { platforms } from "../../src/platforms/index.ts"
import { reservedWords } from "../../src/platforms/linear/stop-words.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"

const text = await readFile(new URL("../../docs/explain.md", import.meta.url), "utf8")
const folder = await mkdtemp(join(tmpdir(), "signalbox-rules-"))
afterAll(() => rm(folder, { recursive: true }))

it("the docs list the built-in rules as they are", () => {
  const rows = text.split("\n").filter((line) => /^\| `\w+` \|.*\| (?:strong|weak)[^|]*\|$/.test(line))
  expect(rows).toEqual(
    builtInRules.map(({ name, about }) => {
      const weakWhere = about?.weakWhere === null ? "" : `; weak ${about?.weakWhere}`
      return `| \`${name}\` | ${about?.reads} | \`${about?.relation}\` | ${about?.strength}${weakWhere} |`
    }),
  )
})

it("the docs list the words that are no team's key as they are", () => {
  const section = /\n## Keys that are no team's\n([^]*?)\n## /.exec(text)?.[1] ?? ""
  const rows = [...section.matchAll(/^\| [^|]+ \| `([A-Z0-9 ]+)` \|$/gm)]
  const listed = rows.flatMap(([, words = ""]) => words.split(" ")).toSorted()
  const longest = 7 // no key is longer
  const reserved = [...reservedWords].filter(({ length }) => length <= longest)
  expect(listed).toEqual(reserved.map((word) => word.toUpperCase()).toSorted())

  const further = [...section.matchAll(/`(\w+-\d+)`/g)].map(([, name = ""]) => name)
  const named = new Set(further.filter((name) => !name.startsWith("ABC-") && !name.startsWith("KEY-")))
  expect(named.size).toBe(8)
  const unaware = createExtractor(platforms)
  for (const name of named) {
    const body = `Limits\n\nand ${name} here`
    expect([name, unaware({ id: 1, body })]).toEqual([name, []])
    const teamKeys = new Set([name.slice(0, name.indexOf("-")).toUpperCase()])
    expect(createExtractor(platforms, { teamKeys })({ id: 1, body })).toMatchObject([
      { entity: `linear:issue:${name.toUpperCase()}` },
    ])
  }
})

it("the docs' rule links what its words show, for as long as they stand there", async () => {
  const file = join(folder, "boards.mjs")
  await writeFile(file, /```js\n(\/\/ boards\.js\n[^]*?)```/.exec(text)?.[1] ?? "")
  const { url, database } = await startTestHub({ ruleFiles: [file] })
  const openedAt = new Date("2026-11-21T10:00:00Z")
  const number = 70
  const body = "Goes onto Board 7."
  const opened = pullRequestOpened(
    pullRequest({ number, title: "X", body, branch: "x", author: "dev", openedAt }),
  )
  const links = async () => {
    const { rows } = await database.work.query<{ link: object }>(
      `select json_build_object('to', to_entity, 'strength', strength, 'evidence', evidence,
         'stands', known_to = 'infinity') as link
       from event_correlations where rule = 'on_board'`,
    )
    return rows.map(({ link }) => link)
  }
  await sendWebhook(url, "github", opened)
  const evidence = { field: "body", text: "Board 7", start: 10, end: 17 }
  const link = { to: "custom:board:7", strength: "weak", evidence }
  expect(await until(links, ({ length }) => length > 0)).toEqual([{ ...link, stands: true }])

  const payload = JSON.parse(opened.body)
  const updated_at = toSecond(new Date("2026-11-21T11:00:00Z"))
  await sendWebhook(url, "github", {
    headers: { ...opened.headers, "x-github-delivery": uuidOf("70 edited") },
    body: JSON.stringify({
      ...payload,
      action: "edited",
      pull_request: { ...payload.pull_request, body: "No board", updated_at },
    }),
  })
  const told = () => database.work.query<{ n: number }>("select count(*) as n from event_log")
  await until(told, ({ rows }) => rows[0]?.n === 2)
  expect(await links()).toEqual([{ ...link, stands: false }])
})

import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { correlationCommand } from "../../src/cli/commands/correlation/index.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runJsonCommand } from "../support/run-command.ts"
import { pullRequestComment, pullRequestEvent } from "./history-requests.ts"

const hub = await startTestHub({ env: {} })
const folder = await mkdtemp(join(tmpdir(), "signalbox-rules-"))
afterAll(() => rm(folder, { recursive: true }))

const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute))
const withTexts = (number: number, title: string, body: string) =>
  pullRequest({ number, title, body, branch: `x-${number}-y`, author: "dev", openedAt: at(1) })
const named = withTexts(1, "ENG-1: limit requests", "")
const lonely = withTexts(2, "ENG-2: limit requests", "")
const told = withTexts(3, "Limit requests", "As in ENG-3")
const remark = (id: number, text: string) => ({ id, text, createdAt: at(2) })

beforeAll(async () => {
  const requests = [
    pullRequestComment(named, "created", remark(7, "see ENG-1"), at(2)), // which came first
    pullRequestEvent(named, "opened", at(1)),
    pullRequestEvent(lonely, "opened", at(1)),
    pullRequestEvent(told, "opened", at(1)),
    pullRequestComment(told, "created", remark(8, "see ENG-3"), at(2)),
    pullRequestComment(lonely, "created", remark(9, "see ENG-2"), at(2)),
    pullRequestComment(lonely, "edited", remark(9, "never mind"), at(3)),
  ]
  for (const [index, request] of requests.entries()) {
    await sendWebhook(hub.url, request.platform, request)
    await until(
      () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log"),
      ({ rows }) => rows[0]?.n === index + 1,
    )
  }
})

async function changes(...args: string[]): Promise<string[]> {
  const env = { DATABASE_URL: hub.database.url }
  const { values } = await runJsonCommand(correlationCommand, ["dry-run", ...args], env)
  return values
    .slice(0, -1)
    .map(({ kind, before, after }) => {
      const { from, relation, to } = after ?? before
      return `${kind} ${from.split("#")[1]} ${relation} ${to.split(":")[2]}`
    })
    .toSorted()
}

const title = "pull_request_title_names_issue"

it("a weak link that a rule's absence brings about at one event is no news where others show it", async () => {
  expect(await changes("--without", title)).toEqual([
    "added 2 mentions ENG-2",
    "removed 1 implements ENG-1",
    "removed 2 implements ENG-2",
  ])
})

it("nor is it where these came before the window", async () => {
  expect(await changes("--without", title, "--after", "1")).not.toContain("added 1 mentions ENG-1")
})

it("a weak link that a new rule makes needless at one event is not gone where others show it", async () => {
  const file = join(folder, "tracks.mjs")
  await writeFile(
    file,
    `export const rule = { name: "pull_request_links_issue", version: 9, on: "github.pull_request.*", find: ({ entity }, { texts }) =>
       texts.flatMap(({ field, text }) => {
         const [name] = field === "body" ? (/ENG-\\d+/.exec(text) ?? []) : []
         return name === undefined ? [] : [{ to: "linear:issue:" + name, relation: "tracks" }]
       }) }`,
  )
  expect(await changes("--rule", file)).toEqual(["added 3 tracks ENG-3"])
})

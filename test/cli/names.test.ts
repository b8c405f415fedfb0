import { expect, it } from "vitest"
import { createKey } from "../../src/auth/keys.ts"
import { reprocessCommand } from "../../src/cli/commands/reprocess.ts"
import { explainCommand } from "../../src/cli/commands/correlation/explain.ts"
import { statusCommand } from "../../src/cli/commands/status.ts"
import { createRepository, takeIn, testWriter } from "../live/repository.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const { url, database, json } = await startTestHub()
const writer = testWriter(database)
const env = {
  SIGNALBOX_URL: url,
  SIGNALBOX_API_KEY: adminKey,
  DATABASE_URL: database.url,
}

const repository = createRepository()
const pr = repository.open(42, "ENG-123: Limit requests")
const commits = ["4f2a1c9000", "4f2a1c9fff", "0123456abc"].map((digits) => ({
  ...repository.commit(`Commit ${digits}`, [repository.head("main")]),
  sha: digits.padEnd(40, "e"),
}))
for (const commit of commits) repository.push("main", commit)
repository.squash(pr)
repository.deliveries.push({
  platform: "github",
  headers: { "x-github-event": "issues", "x-github-delivery": "an-issue" },
  payload: {
    action: "opened",
    repository: { id: 7, full_name: "acme/api", default_branch: "main" },
    issue: {
      id: 9,
      number: 77,
      title: "Slow",
      state: "open",
      body: null,
      updated_at: "2026-11-21T09:00:00Z",
    },
  },
})
await takeIn(writer, repository.deliveries, "default")
const other = createRepository("other/api")
other.push("main", { ...other.commit("Elsewhere", [other.head("main")]), sha: "abcdef0".padEnd(40, "1") })
await takeIn(writer, other.deliveries, "other")

const keyOf = (name: string) => json(`/api/v1/entities?${new URLSearchParams({ name }).toString()}`)

it.each([
  ["ENG-123", "linear:issue:ENG-123"],
  ["acme/api#42", "github:pull_request:acme/api#42"],
  ["Acme/API#77", "github:issue:acme/api#77"],
  ["https://github.com/acme/api/pull/42", "github:pull_request:acme/api#42"],
  ["https://linear.app/acme/issue/ENG-123/limit", "linear:issue:ENG-123"],
  ["4F2A1C90", `github:commit:${commits[0]?.sha}`],
  ["0123456", `github:commit:${commits[2]?.sha}`],
  [pr.head.sha.slice(0, 10), `github:commit:${pr.head.sha}`],
  [pr.head.sha, `github:commit:${pr.head.sha}`],
])("%s is %s, for the API, `status` and `reprocess`", async (name, key) => {
  expect(await keyOf(name)).toEqual({ status: 200, body: { key } })
  const told = await runCommand(statusCommand, [name, "--json"], env)
  expect(JSON.parse(told.lines.join(""))).toMatchObject({ entity: key })
  const derived = await runCommand(reprocessCommand, ["--entity", name], env)
  expect(derived.lines.at(-1)).toMatch(/^[1-9]\d* of [1-9]\d* events derived anew$/)
})

it("`explain` takes every name that `status` takes", async () => {
  for (const pair of [
    ["acme/api#42", "ENG-123"],
    ["https://github.com/acme/api/pull/42", "https://linear.app/acme/issue/ENG-123/limit"],
  ]) {
    const { lines } = await runCommand(explainCommand, [...pair, "--json"], env)
    expect(JSON.parse(lines.join(""))).toMatchObject({
      from: "github:pull_request:acme/api#42",
      to: "linear:issue:ENG-123",
      verdict: "linked",
    })
  }
  const { lines } = await runCommand(explainCommand, [pr.head.sha.slice(0, 7), "acme/api#42", "--json"], env)
  expect(JSON.parse(lines.join(""))).toMatchObject({ from: `github:commit:${pr.head.sha}` })
  await expect(runCommand(explainCommand, ["ENG-123", "limits"], env)).rejects.toThrow("names nothing")
})

it("digits that begin several commits, and what nothing is known of, are told with what to do", async () => {
  expect(await keyOf("4f2a1c9")).toMatchObject({
    status: 409,
    body: {
      detail: `4f2a1c9 begins more than one commit, give more digits: ${commits[0]?.sha}, ${commits[1]?.sha}`,
    },
  })
  await expect(runCommand(statusCommand, ["4f2a1c9"], env)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/^4f2a1c9 begins more than one commit/),
  })
  for (const [name, words] of [
    ["7654321", "no commit is known that begins with 7654321"],
    ["abcdef0", "no commit is known that begins with abcdef0"], // another tenant's
    ["acme/web#1", "nothing is known of github:pull_request:acme/web#1 or github:issue:acme/web#1"],
    ["ENG-999", "nothing is known of linear:issue:ENG-999"],
  ] as const) {
    expect(await keyOf(name)).toMatchObject({ status: 404, body: { detail: words } })
    const failure = { code: "not_found", message: words }
    await expect(runCommand(statusCommand, [name], env)).rejects.toMatchObject(failure)
    await expect(runCommand(reprocessCommand, ["--entity", name], env)).rejects.toMatchObject(failure)
  }
})

it("what is no name is refused, with the forms that are", async () => {
  expect(await keyOf("limits")).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(/^"limits" names nothing: give an issue \(ENG-123\)/) },
  })
  for (const run of [
    () => runCommand(statusCommand, ["limits"], env),
    () => runCommand(reprocessCommand, ["--entity", "limits"], env),
  ]) {
    await expect(run()).rejects.toMatchObject({ code: "bad_request" })
  }
  await expect(runCommand(statusCommand, [], env)).rejects.toThrow("name an issue")
})

it("routes take keys alone, and say what those look like", async () => {
  for (const name of ["ENG-123", "https://github.com/acme/api/pull/42"]) {
    expect(await json(`/api/v1/entities/${encodeURIComponent(name)}/status`)).toMatchObject({
      status: 400,
      body: {
        detail: expect.stringMatching(/is no entity key: keys look like linear:issue:ENG-123.*\?name=/),
      },
    })
  }
})

it("takes a key with the scope events:read", async () => {
  const { key } = await createKey(database.work, {
    tenant: "default",
    name: "streams",
    scopes: ["streams:read"],
  })
  expect(await json("/api/v1/entities?name=ENG-123", { key: "" })).toMatchObject({ status: 401 })
  expect(await json("/api/v1/entities?name=ENG-123", { key })).toMatchObject({ status: 403 })
})

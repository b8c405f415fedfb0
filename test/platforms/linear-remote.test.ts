import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import type { RecoveryAccess } from "../../src/core/remote.ts"
import { linear } from "../../src/platforms/linear/index.ts"
import { createLinearWorld, type LinearWorld, type LinearWorldOptions } from "../support/worlds/linear.ts"
import type { LinearDelivery } from "../support/worlds/linear-things.ts"
import { selectionOf, type Selected } from "../support/worlds/selection.ts"
import { accessOf, answering, bodyOf, minutesAgo, now, readingOf, sweepsOf } from "./support/sweeping.ts"

const { pagesOf, recordsOf, expectToGoOn } = sweepsOf(linear)

const startWorld = (more: Partial<LinearWorldOptions> = {}): LinearWorld =>
  answering(createLinearWorld({ clock: () => now, ...more }))

const accessTo = ({ apiUrl, apiKey }: LinearWorld, more?: Partial<RecoveryAccess>): RecoveryAccess =>
  accessOf(apiUrl, apiKey, more)

test("a record reads as the webhook that did not come, with the same state, but for who did it", async () => {
  const world = startWorld()
  const { workspace } = world
  const unsent = [
    workspace.create("Project", minutesAgo(50)),
    workspace.create("Issue", minutesAgo(49)),
    ...["IssueLabel", "ProjectUpdate", "Comment", "Attachment"].map((type, at) =>
      workspace.create(type, minutesAgo(40 - at)),
    ),
  ]
  const [project, issue] = unsent as [LinearDelivery, LinearDelivery]
  const removed = workspace.create("Issue", minutesAgo(30))
  unsent.push(
    workspace.change("Issue", issue.id, minutesAgo(20)),
    workspace.change("Project", project.id, minutesAgo(19)),
    workspace.removeIssue(removed.id, minutesAgo(10)),
  )
  const changed = [issue.id, project.id]
  const records = await recordsOf(accessTo(world))
  expect(records).toHaveLength(unsent.length)
  for (const { body } of unsent) {
    const webhook = readingOf(linear, body)
    const record = records.find(({ known }) => (known as { state: string }).state === webhook.identity.state)
    const made = readingOf(linear, bodyOf(record!))
    expect(made.identity).toMatchObject({ name: webhook.identity.name, state: webhook.identity.state })
    const { references, texts, detail, ...told } = webhook.normalized
    const { type, entity, title, url, occurredAt } = told
    expect(made.normalized).toMatchObject({ type, entity, title, url, occurredAt })
    // The creation of what was changed since is told with what it is today.
    if (changed.some((id) => body.includes(id)) && webhook.identity.name.endsWith(":create")) continue
    expect(made.normalized).toMatchObject({ references, texts, detail: { ...detail, webhook_id: null } })
  }
})

test("what happened before is not told with the thing: an update is one state, a creation one more", async () => {
  const world = startWorld()
  const { workspace } = world
  const { id } = workspace.create("Issue", minutesAgo(50))
  workspace.change("Issue", id, minutesAgo(40))
  workspace.change("Issue", id, minutesAgo(30))
  const old = workspace.create("Issue", minutesAgo(300))
  workspace.change("Issue", old.id, minutesAgo(29))
  const states = (await recordsOf(accessTo(world))).map(({ key }) => key)
  expect(states).toEqual([
    `backfill-Issue:${id}@${minutesAgo(50).toISOString()}`,
    `backfill-Issue:${old.id}@${minutesAgo(29).toISOString()}`,
    `backfill-Issue:${id}@${minutesAgo(30).toISOString()}`,
  ])
})

test("pages end where a whole page, and more, is of one instant", async () => {
  const world = startWorld()
  for (let count = 0; count < 130; count++) world.workspace.create("Issue", minutesAgo(20))
  for (let count = 0; count < 60; count++) world.workspace.create("Issue", minutesAgo(21 + count / 100))
  const keys = (await recordsOf(accessTo(world))).map(({ key }) => key)
  expect(new Set(keys).size).toBe(190)
})

test("a sweep goes on from any of its cursors, and ends at the last", async () => {
  const world = startWorld()
  for (let count = 0; count < 180; count++) world.workspace.happen(minutesAgo(59 - count / 4))
  await expectToGoOn(accessTo(world))
})

test("what the webhook is not set up for is not backfilled: other teams, other kinds, private teams", async () => {
  const world = startWorld()
  const { workspace } = world
  for (let count = 0; count < 60; count++) workspace.happen(minutesAgo(50 - count / 2))
  const hidden = workspace.happenInPrivate(minutesAgo(5))
  const [team, secret] = workspace.teams
  const everything = await recordsOf(accessTo(world))
  expect(everything.map(({ key }) => key).join()).not.toContain(hidden)
  expect(everything.length).toBeGreaterThan(30)

  const ofTeam = await recordsOf(accessTo(world, { settings: { teamId: team?.id } }))
  expect(new Set(ofTeam.map(({ key }) => key))).toEqual(new Set(everything.map(({ key }) => key)))
  const ofPrivate = await recordsOf(accessTo(world, { settings: { teamId: secret?.id } }))
  expect(ofPrivate.map(({ key }) => key)).toEqual([`backfill-Issue:${hidden}@${minutesAgo(5).toISOString()}`])

  const before = world.calls.length
  const comments = await recordsOf(accessTo(world, { settings: { resourceTypes: ["Comment"] } }))
  expect(comments.every(({ key }) => key.startsWith("backfill-Comment:"))).toBe(true)
  expect(world.calls.slice(before)).toEqual(["Comment_create", "Comment_update"])
})

test("a tenth of each limit is left to others, and its reset is told", async () => {
  const world = startWorld({ limits: { requests: 10, complexity: 3_000_000, windowMs: 600_000 } })
  const error = await pagesOf(accessTo(world)).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: "too_many_requests", retryAfter: 600 })
  expect(world.calls).toHaveLength(9)

  const costly = startWorld({
    apiUrl: "https://linear-2.test/graphql",
    limits: { requests: 5_000, complexity: 9_000, windowMs: 600_000 },
  })
  await expect(pagesOf(accessTo(costly))).rejects.toMatchObject({
    code: "too_many_requests",
    retryAfter: 600,
  })
  expect([...world.violations, ...costly.violations]).toEqual([])
})

test("each refusal says what is to be mended, and nothing of the key", async () => {
  const world = startWorld({ limits: { requests: 2, complexity: 1_000_000, windowMs: 90_000 } })
  const refusals = [
    { access: accessTo(world, { credential: "lin_api_wrong" }), code: "unauthenticated" },
    { access: accessTo(world, { apiUrl: "http://linear.example/graphql" }), code: "configuration" },
    { access: accessTo(world, { apiUrl: "https://127.0.0.1:9/graphql" }), code: "unavailable" },
  ]
  for (const { access, code } of refusals) {
    const error: unknown = await pagesOf(access).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code })
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(access.credential)
  }
  // A run that begins where another has used up the limit is refused by Linear itself.
  await expect(pagesOf(accessTo(world))).rejects.toMatchObject({ code: "too_many_requests" })
  await expect(pagesOf(accessTo(world))).rejects.toMatchObject({ code: "too_many_requests", retryAfter: 90 })
})

test("every failure of Linear's ends in an error that the engine can tell apart", async () => {
  const codes = new Set<unknown>()
  const world = startWorld({ failEvery: 1 })
  for (let count = 0; count < 4; count++) {
    const error = (await pagesOf(accessTo(world)).catch((reason: unknown) => reason)) as {
      code: string
      retryAfter?: number
    }
    codes.add(`${error.code} ${error.retryAfter ?? ""}`.trim())
  }
  expect(codes).toEqual(new Set(["unavailable", "too_many_requests 7"]))
})

test("every field that is asked for is one of Linear's, by the SDK's own types", async () => {
  const world = startWorld()
  const documents: string[] = []
  world.onQuery = (query) => documents.push(query)
  await pagesOf(accessTo(world))
  const types = sdkTypes()
  const unknown = documents.flatMap((document) => unknownIn(selectionOf(document), "Query", types))
  expect(types.get("Query")?.size).toBeGreaterThan(100)
  expect(documents).toHaveLength(13)
  expect(unknown).toEqual([])
})

type Types = Map<string, Map<string, string>>

/** Members of each type of the API, and the type of each; what is no type of its own is a value. */
function sdkTypes(): Types {
  const folder = dirname(fileURLToPath(import.meta.resolve("@linear/sdk")))
  const file = readdirSync(folder).find((name) => /^index-.*\.d\.mts$/.test(name)) ?? ""
  const text = readFileSync(join(folder, file), "utf8")
  const types: Types = new Map()
  for (const [, name = "", members = ""] of text.matchAll(/^type (\w+) = (?:Node & )?\{\n([\s\S]*?)^\};/gm)) {
    const found = [...members.matchAll(/^ {2}(\w+)\??: (?:Maybe<|Array<)*(\w+)/gm)]
    types.set(name, new Map(found.map(([, member = "", type = ""]) => [member, type])))
  }
  return types
}

function unknownIn(selection: readonly Selected[], type: string, types: Types): string[] {
  const members = types.get(type)
  return selection.flatMap(({ name, children }) => {
    const of = members?.get(name)
    if (of === undefined) return [`${type}.${name}`]
    return children.length === 0 ? [] : unknownIn(children, of, types)
  })
}

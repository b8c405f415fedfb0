import { expect, test } from "vitest"
import type { RecoveryAccess } from "../../src/core/remote.ts"
import { slack } from "../../src/platforms/slack/index.ts"
import { createSlackWorld, type SlackWorld, type SlackWorldOptions } from "../support/worlds/slack.ts"
import { accessOf, answering, bodyOf, minutesAgo, now, readingOf, sweepsOf } from "./support/sweeping.ts"

const { pagesOf, recordsOf, expectToGoOn } = sweepsOf(slack)
const channel = "C0GENERAL"

const startWorld = (more: Partial<SlackWorldOptions> = {}): SlackWorld =>
  answering(createSlackWorld({ clock: () => now, perMinute: 1_000, ...more }))

const accessTo = ({ apiUrl, token }: SlackWorld, more?: Partial<RecoveryAccess>): RecoveryAccess =>
  accessOf(apiUrl, token, more)

async function statesOf(world: SlackWorld, more?: Partial<RecoveryAccess>): Promise<string[]> {
  const records = await recordsOf(accessTo(world, more))
  return records
    .map(({ key }) => key.replace("Backfill-", "").replace(`${world.workspace.teamId}/`, ""))
    .toSorted()
}

test("a record reads as the event that did not come, with the same state", async () => {
  const world = startWorld()
  const { workspace } = world
  const root = workspace.say(channel, minutesAgo(50))
  const unsent = [
    ...root,
    ...workspace.say(channel, minutesAgo(40), { thread: root[0]?.ts ?? "" }),
    ...workspace.say(channel, minutesAgo(30), { text: `<@${workspace.botUserId}> is ENG-7 live?` }),
    ...workspace.say("G0PRIVATE", minutesAgo(29), { user: workspace.botUserId, text: "Deployed" }),
    ...workspace.say("D0DIRECT1", minutesAgo(28), { text: `<@${workspace.botUserId}> hello` }),
    workspace.edit(channel, workspace.channels.get(channel)!.messages[1]!, minutesAgo(20)),
  ]
  expect(unsent).toHaveLength(7)
  const records = await recordsOf(accessTo(world))
  expect(records).toHaveLength(unsent.length)
  for (const { body } of unsent) {
    const sent = readingOf(slack, body)
    const record = records.find(({ known }) => (known as { state: string }).state === sent.identity.state)
    const made = readingOf(slack, bodyOf(record!))
    expect(made.identity).toEqual({ ...sent.identity, key: record?.key })
    const { title, texts, detail, occurredAt, states = [], ...told } = sent.normalized
    expect(made.normalized).toMatchObject(told)
    // An edit's own time is kept to the second it was made in.
    const apart = occurredAt.getTime() - made.normalized.occurredAt.getTime()
    expect(Math.abs(apart)).toBeLessThan(1_000)
    // What was edited since is told with the words of today.
    if (body.includes("ENG-7")) continue
    expect(made.normalized).toMatchObject({ title, texts, detail })
    expect(made.normalized.states).toMatchObject(states.map(({ entity, fields }) => ({ entity, fields })))
  }
})

test("a thread is read when it was answered within the window, and an edit is seen, a day back", async () => {
  const world = startWorld()
  const { workspace } = world
  const say = (minutes: number) => workspace.say(channel, minutesAgo(minutes))[0]!.ts
  const [tooOld, old, untouched] = [say(27 * 60), say(20 * 60), say(19 * 60)]
  for (const thread of [tooOld, old, untouched]) workspace.say(channel, minutesAgo(300), { thread })
  const late = [tooOld, old].map((thread, at) => workspace.say(channel, minutesAgo(10 + at), { thread })[0]!)
  const { messages } = workspace.channels.get(channel)!
  const edits = messages.map((message, at) => workspace.edit(channel, message, minutesAgo(5 + at)))
  const edited = (index: number) => `message:${channel}/${messages[index]?.ts}@${edits[index]?.editedTs}`
  expect(await statesOf(world)).toEqual(
    [`message:${channel}/${late[1]?.ts}`, edited(1), edited(2)].toSorted(),
  )
  expect(world.calls.filter((call) => call === "conversations.replies")).toHaveLength(1)

  const further = await statesOf(world, { settings: { lookbackHours: 48 } })
  expect(further).toContain(`message:${channel}/${late[0]?.ts}`)
  expect(further).toContain(edited(0))
})

test("only what the token's scopes would send as events is read", async () => {
  const narrow = startWorld({ scopes: ["channels:history", "channels:read"] })
  for (const id of [channel, "G0PRIVATE", "D0DIRECT1"]) {
    narrow.workspace.say(id, minutesAgo(10), { text: `<@${narrow.workspace.botUserId}>` })
  }
  const [ts] = narrow.workspace.channels.get(channel)!.messages.map((message) => message.ts)
  expect(await statesOf(narrow)).toEqual([`message:${channel}/${ts}`])
})

test.each([
  ["channels:history", ["channels:read"]],
  ["channels:read", ["channels:history"]],
  ["groups:read", ["channels:read", "channels:history", "groups:history"]],
])("the scope %s is named where it is missing", async (missing, scopes) => {
  const world = startWorld({ scopes })
  world.workspace.say(channel, minutesAgo(10))
  await expect(pagesOf(accessTo(world))).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringContaining(missing),
  })
})

test("a limit is told with its time and never waited out; other failures are told apart", async () => {
  const limited = startWorld({ perMinute: 2 })
  const error: unknown = await pagesOf(accessTo(limited)).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: "too_many_requests", retryAfter: 60 })
  expect(limited.calls.filter((call) => call === "users.conversations")).toHaveLength(3)

  const wrong: unknown = await pagesOf(accessTo(limited, { credential: "xoxb-wrong" })).catch(
    (reason: unknown) => reason,
  )
  expect(wrong).toMatchObject({ code: "unauthenticated" })
  expect(JSON.stringify(wrong)).not.toContain("xoxb-wrong")
})

test("every failure of Slack's is one that may pass", async () => {
  const world = startWorld({ failEvery: 1 })
  for (let count = 0; count < 3; count++) {
    await expect(pagesOf(accessTo(world))).rejects.toMatchObject({ code: "unavailable" })
  }
})

test("a sweep goes on from any of its cursors, and ends at the last", async () => {
  const world = startWorld({ pageSize: 15 })
  for (let count = 0; count < 150; count++) world.workspace.happen(minutesAgo(59 - count / 3))
  const pages = await expectToGoOn(accessTo(world))
  expect(pages.length).toBeGreaterThan(15)
})

test("a conversation that the bot has left meanwhile holds up nothing", async () => {
  const world = startWorld()
  world.workspace.say(channel, minutesAgo(10))
  const said = world.workspace.say("G0PRIVATE", minutesAgo(9))
  world.onCall = (count) => {
    if (world.calls[count - 1] === "conversations.history") world.workspace.channels.delete(channel)
  }
  expect(await statesOf(world)).toEqual([`message:G0PRIVATE/${said[0]?.ts}`])
})

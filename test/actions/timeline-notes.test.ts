import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { createHub } from "../../src/hub.ts"
import { slack } from "../../src/platforms/slack/index.ts"
import { loadFixtures, isEvent } from "../support/fixtures.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { githubToken, slackToken, startProvider } from "./support/provider.ts"

const provider = await startProvider()
const hub = await startTestHub({
  publicUrl: "https://hub.test/",
  timelineNotes: ["slack", "github"],
  env: {
    SLACK_BOT_TOKEN: slackToken,
    SLACK_API_URL: provider.slackUrl,
    GITHUB_TOKEN: githubToken,
    GITHUB_API_URL: provider.githubUrl,
  },
})
const opened = loadFixtures("github")
  .filter(isEvent)
  .find(({ shape }) => shape === "pull-request-opened")
if (opened === undefined) throw new Error("no fixture of a pull request")
const pullRequest = opened.expect.entity ?? ""
const [, repository = "", number = ""] = /^github:pull_request:(.+)#(\d+)$/.exec(pullRequest) ?? []
const place = `${repository}#${number}`
const prLink = `<https://github.com/${repository}/pull/${number}>`
const now = Math.floor(Date.now() / 1000)
const stamp = (seconds: number) => `${now + seconds}.000100`
const timeline = (key: string) => `https://hub.test/api/v1/entities/${encodeURIComponent(key)}/timeline`
let count = 0

async function hear(event: Readonly<Record<string, unknown>>): Promise<void> {
  const authorizations = [{ team_id: "T1", user_id: "UBOT", is_bot: true }]
  const envelope = { type: "event_callback", team_id: "T1", api_app_id: "A1", authorizations }
  const body = JSON.stringify({ ...envelope, event_id: `Ev${++count}`, event })
  const headers = { "content-type": "application/json" }
  expect((await sendWebhook(hub.url, "slack", { headers, body })).status).toBe(202)
}

function say(ts: string, text: string, more: object = {}): Promise<void> {
  return hear({ type: "message", user: "U1", channel: "C1", ts, event_ts: ts, text, ...more })
}

/** Waits until the action has dealt with every event so far. */
async function settled(): Promise<void> {
  await until(
    () =>
      hub.database.work.query<{ left: number }>(
        `select (select count(*) from events e where not exists (select from event_log l where l.event_id = e.id))
           + (select count(*) from subscription_partitions c join stream_subscriptions s on s.id = c.subscription_id
              where s.name = 'signalbox/timeline-notes' and c.position < (select max(position) from event_log)) as left`,
      ),
    ({ rows }) => Number(rows[0]?.left) === 0,
  )
}

it("a thread and a pull request that become linked are told of their timelines once", async () => {
  const sent = { headers: opened.request.headers, body: opened.request.body.toString("utf8") }
  expect((await sendWebhook(hub.url, "github", sent)).status).toBe(202)
  await hub.hub.submitCustomEvent({ type: "ci.run.finished", entity: pullRequest }) // whoever spoke of it last
  await settled()
  await say(stamp(1), "who can look?")
  await say(stamp(2), `I do: ${prLink}`, { thread_ts: stamp(1) })
  await until(
    async () => provider.said.length,
    (said) => said >= 2,
  )
  await say(stamp(3), `done with ${prLink}`, { thread_ts: stamp(1) })
  const note = provider.said.find(({ place: at }) => at.startsWith("C1/"))
  await hear({
    type: "message",
    user: "UBOT",
    channel: "C1",
    thread_ts: stamp(1),
    event_ts: stamp(4),
    ...note?.message,
    ts: stamp(4),
  })
  await settled()
  expect(provider.said).toHaveLength(2)
  expect(new Map(provider.said.map(({ place: at, text }) => [at, text]))).toEqual(
    new Map([
      [`C1/${stamp(1)}`, `<${timeline(`slack:thread:T1/C1/${stamp(1)}`)}|Timeline of this thread>`],
      [place, `[Timeline of this pull request](${timeline(pullRequest)})\n\n<!-- signalbox:note -->\n`],
    ]),
  )
})

it("a pull request that the hub knows nothing of is nobody to talk to", async () => {
  const before = provider.said.length
  await say(stamp(10), "see <https://github.com/other/thing/pull/1>")
  await until(
    async () => provider.said.length,
    (said) => said > before,
  )
  await settled()
  expect(provider.said.slice(before).map(({ place: at }) => at)).toEqual([`C1/${stamp(10)}`])
})

it("weak links, bare names and what is older than a day say nothing", async () => {
  const before = provider.calls.length
  const many = Array.from(
    { length: 11 },
    (_, index) => `<https://github.com/${repository}/pull/${100 + index}>`,
  )
  await say(stamp(20), many.join(" "))
  await say(stamp(21), `about ${repository}#${number}`)
  await say(stamp(-90_000), prLink)
  await settled()
  await sleep(100)
  expect(provider.calls.length).toBe(before)
})

it("what the provider has no time for is said later", async () => {
  provider.mishaps.push("limited")
  await say(stamp(30), prLink)
  const at = `C1/${stamp(30)}`
  await until(
    async () => provider.said.filter((said) => said.place === at).length,
    (said) => said === 1,
    20_000,
  )
  expect(provider.calls.filter((call) => call === `chat.postMessage ${at}`)).toHaveLength(2)
}, 30_000)

it("a note of the app's own refers to nothing, and one that only bears its mark is like any other", () => {
  const blocks = [{ type: "section", block_id: "signalbox_note", text: { type: "mrkdwn", text: prLink } }]
  const textsFrom = (message: object) => {
    const event = { type: "message", channel: "C1", ts: stamp(1), text: prLink, blocks, ...message }
    const authorizations = [{ user_id: "UBOT", is_bot: true }]
    const payload = { type: "event_callback", team_id: "T1", api_app_id: "A1", authorizations, event }
    const receivedAt = new Date()
    return slack.normalize({ headers: {}, contentType: "application/json", payload, receivedAt }).texts.length
  }
  expect(textsFrom({ user: "UBOT" })).toBe(0)
  expect(textsFrom({ bot_profile: { app_id: "A1" } })).toBe(0)
  expect(textsFrom({ user: "U1" })).toBe(1)
  expect(textsFrom({ user: "UBOT", blocks: [] })).toBe(1)
})

it("notes without an address of the hub stop the start", () => {
  expect(() => createHub({ databaseUrl: null, timelineNotes: ["slack"], env: {} })).toThrow(
    /SIGNALBOX_PUBLIC_URL must be set/,
  )
  const env = { SIGNALBOX_PUBLIC_URL: "hub.test", SIGNALBOX_TIMELINE_NOTES: "email" }
  expect(() => createHub({ databaseUrl: null, env })).toThrow(
    /SIGNALBOX_PUBLIC_URL must be an http or https URL.*SIGNALBOX_TIMELINE_NOTES must be a comma-separated list of slack, github/,
  )
})

import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"

const hub = await startTestHub()
const pr = (number: number) => `github:pull_request:acme/api#${number}`
const prLink = (number: number) => `<https://github.com/acme/api/pull/${number}>`
const issueLink = "<https://linear.app/acme/issue/ENG-123/login>"
let count = 0
const stamp = (seconds: number) => `${1_700_000_000 + seconds}.000100`

const inThread = (root?: number) => (root === undefined ? {} : { thread_ts: stamp(root) })
const content = (at: number, text: string, root?: number) => ({
  type: "message",
  user: "U1",
  ts: stamp(at),
  text,
  ...inThread(root),
})

/** A delivery of Slack's; its id tells it apart from all others. */
interface Delivery {
  id: string
  event: Readonly<Record<string, unknown>>
}

/** What happens to messages of one channel. Times are `seconds.micros` after a moment of the channel's own. */
function channelOf(channel: string) {
  const made = (event: object): Delivery => ({ id: `Ev${channel}${++count}`, event: { channel, ...event } })
  const change = (at: number, message: object) =>
    made({ type: "message", subtype: "message_changed", ts: stamp(at), event_ts: stamp(at), message })
  return {
    message: (at: number) => `slack:message:T1/${channel}/${stamp(at)}`,
    thread: (at: number) => `slack:thread:T1/${channel}/${stamp(at)}`,
    say: (at: number, text: string, root?: number) =>
      made({ ...content(at, text, root), event_ts: stamp(at) }),
    mention: (at: number, text: string, root?: number) =>
      made({ ...content(at, text, root), type: "app_mention", event_ts: stamp(at) }),
    share: (at: number, url: string) =>
      made({ type: "link_shared", message_ts: stamp(at), links: [{ url }], event_ts: stamp(at) }),
    edit: (at: number, said: number, text: string, root?: number) =>
      change(at, {
        ...content(said, text, root),
        edited: { user: "U1", ts: `${1_700_000_000 + at}.000000` },
      }),
    unfurl: (at: number, said: number, text: string, url: string) =>
      change(at, { ...content(said, text), attachments: [{ from_url: url, service_name: "GitHub" }] }),
    bury: (at: number, said: number) =>
      change(at, { ...content(said, "This message was deleted.", said), subtype: "tombstone" }),
    remove: (at: number, said: number, root?: number) =>
      made({
        type: "message",
        subtype: "message_deleted",
        ts: stamp(at),
        event_ts: stamp(at),
        deleted_ts: stamp(said),
        previous_message: content(said, "whatever it was", root),
      }),
  }
}

async function send({ id, event }: Delivery): Promise<void> {
  const body = JSON.stringify({ type: "event_callback", team_id: "T1", event_id: id, event })
  const response = await sendWebhook(hub.url, "slack", {
    headers: { "content-type": "application/json" },
    body,
  })
  expect(response.status).toBe(202)
}

/** Sends them side by side and waits until each is in the log. */
async function tell(deliveries: readonly Delivery[]): Promise<void> {
  const waiting = [...deliveries]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await send(next)
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  const ids = [...new Set(deliveries.map(({ id }) => id))]
  const logged = () =>
    hub.database.work.query<{ n: number }>(
      `select count(*)::int as n from event_log l join events e on e.id = l.event_id where e.delivery_id = any($1)`,
      [ids],
    )
  await until(logged, ({ rows }) => rows[0]?.n === ids.length)
}

async function timelineOf(entity: string): Promise<string[]> {
  const { body } = await hub.json(`/api/v1/entities/${encodeURIComponent(entity)}/timeline?limit=500`)
  return body.events.map(({ entity: about }: { entity: string }) => about)
}

async function linksOf(entity: string, query = ""): Promise<string[]> {
  const { body } = await hub.json(`/api/v1/entities/${encodeURIComponent(entity)}/links${query}`)
  const short = body.links.map(
    ({ from, to, relation, strength }: Record<string, string>) => `${from} ${relation} ${to} ${strength}`,
  )
  return [...new Set<string>(short)].toSorted()
}

describe("a thread", () => {
  it("is told whole at what one of its messages names, and what it is about at the thread", async () => {
    const { say, message, thread } = channelOf("C10")
    await tell([
      say(3, "on it", 1),
      say(1, "login is broken"),
      say(4, `fixed by ${prLink(10)}`, 1),
      say(5, "thanks", 1),
      say(6, "lunch?"),
    ])
    const messages = [1, 3, 4, 5].map(message)
    expect(await timelineOf(pr(10))).toEqual(messages)
    expect(await timelineOf(thread(1))).toEqual(messages)
    expect(await linksOf(thread(1))).toContain(`${thread(1)} discusses ${pr(10)} strong`)
  })

  it("holds the message that began it, once that is answered", async () => {
    const { say, message, thread } = channelOf("C11")
    await tell([say(1, `see ${prLink(11)}`)])
    expect(await linksOf(thread(1))).toEqual([`${thread(1)} discusses ${pr(11)} strong`])
    await tell([say(2, "will do", 1)])
    expect(await linksOf(thread(1))).toEqual([
      `${message(1)} in_thread ${thread(1)} strong`,
      `${message(2)} in_thread ${thread(1)} strong`,
      `${thread(1)} discusses ${pr(11)} strong`,
    ])
    expect(await timelineOf(pr(11))).toEqual([message(1), message(2)])
  })

  it("makes no one story of all that is talked about in it", async () => {
    const { say, message, thread } = channelOf("C12")
    await tell([say(1, `today ${prLink(120)}`), say(2, `and ${prLink(121)}`, 1), say(3, "fine", 1)])
    const other = channelOf("C13")
    await tell([other.say(9, `look at ${prLink(121)}`)])
    expect(await timelineOf(pr(120))).toEqual([1, 2, 3].map(message))
    expect(await timelineOf(thread(1))).toEqual([...[1, 2, 3].map(message), other.message(9)])
  })

  it("about more than ten things shows at each only what names it", async () => {
    const { say, message, thread } = channelOf("C14")
    const replies = Array.from({ length: 10 }, (_, index) => say(10 + index, prLink(140 + index), 1))
    await tell([say(1, "stand-up"), ...replies])
    expect(await timelineOf(pr(140))).toHaveLength(11)
    await tell([say(30, prLink(150), 1)])
    expect(await timelineOf(pr(140))).toEqual([message(10)])
    expect(await timelineOf(thread(1))).toHaveLength(12)
  })

  it("is only shown at each of many that one message lists", async () => {
    const { say, thread } = channelOf("C15")
    const list = Array.from({ length: 11 }, (_, index) => prLink(160 + index)).join(" ")
    await tell([say(1, "what next?"), say(2, list, 1)])
    expect(await linksOf(thread(1))).toContain(`${thread(1)} discusses ${pr(160)} weak`)
    expect(await timelineOf(pr(160))).toEqual([])
  })
})

describe("what a message shows no more", () => {
  it("ties neither it nor its thread, and did until then", async () => {
    const { say, edit, message, thread } = channelOf("C20")
    await tell([say(1, "hm"), say(2, `${prLink(20)} or ${prLink(21)}`, 1)])
    const before = new Date()
    await tell([edit(60, 2, prLink(21), 1)])
    expect(await linksOf(pr(20))).toEqual([])
    const then = [`${message(2)} discusses ${pr(20)} strong`, `${thread(1)} discusses ${pr(20)} strong`]
    expect(await linksOf(pr(20), `?asOf=${before.toISOString()}`)).toEqual(then)
    expect(await linksOf(pr(21))).toHaveLength(2)
  })

  it("is withdrawn with the message, whether that is gone or leaves a tombstone", async () => {
    const { say, bury, remove, thread } = channelOf("C21")
    await tell([say(1, prLink(22)), say(2, prLink(23), 1), say(3, "x", 1)])
    await tell([bury(60, 1), remove(61, 2, 1)])
    expect(await linksOf(pr(22))).toEqual([])
    expect(await linksOf(pr(23))).toEqual([])
    expect(await linksOf(thread(1))).toHaveLength(3) // it stays a thread
  })

  it("stays where only a preview is added, and goes with a preview that alone showed it", async () => {
    const { say, share, edit, unfurl } = channelOf("C22")
    const text = `short <https://t.example/x> and ${prLink(24)}`
    await tell([say(1, text), share(1, "https://github.com/acme/api/pull/24")])
    await tell([unfurl(3, 1, text, "https://github.com/acme/api/pull/25")])
    expect([await linksOf(pr(24)), await linksOf(pr(25))].map((links) => links.length)).toEqual([2, 2])
    await tell([edit(60, 1, "never mind")])
    expect([await linksOf(pr(24)), await linksOf(pr(25))]).toEqual([[], []])
  })
})

/** Whatever can happen to a message, to one after the other. */
function history(channel: string): Delivery[] {
  const { say, mention, share, edit, unfurl, bury, remove } = channelOf(channel)
  const first = `${prLink(30)} ${issueLink}`
  return [
    say(1, first),
    mention(1, first),
    share(1, "https://github.com/acme/api/pull/30"),
    unfurl(3, 1, first, "https://github.com/acme/api/pull/31"),
    edit(4, 1, `${issueLink} only, ENG-124 another time`),
    edit(6, 1, `${prLink(32)} instead`),
    say(10, `${prLink(33)} and ${prLink(34)}`, 1),
    edit(12, 10, prLink(34), 1),
    say(20, prLink(35), 1),
    remove(22, 20, 1),
    edit(21, 20, prLink(36), 1),
    say(30, prLink(37)),
    say(31, "?", 30),
    bury(32, 30),
  ]
}
/** The links that messages of a channel show now, with the channel called C. */
async function knownIn(channel: string): Promise<string[]> {
  const { rows } = await hub.database.work.query<{ link: string }>(
    `select distinct concat_ws(' ', from_entity, relation, to_entity, strength, rule, evidence) as link
     from event_correlations where document like $1 and known_to = 'infinity' order by 1`,
    [`slack:message:%/${channel}/%`],
  )
  return rows.map(({ link }) => link.replaceAll(channel, "C"))
}
it("in whatever order and however often things come, the same links are left", async () => {
  await tell(history("C30"))
  const told = await knownIn("C30")
  const ends = told.map((link) => link.split(" ")[2])
  expect(new Set(ends)).toEqual(new Set([pr(32), pr(34)]))
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...history("").keys()], { minLength: 14 }),
      fc.subarray([...history("").keys()]),
      async (order, repeats) => {
        const channel = `C31${run++}`
        const deliveries = history(channel)
        await tell([...order, ...repeats].flatMap((index) => deliveries[index] ?? []))
        expect(await knownIn(channel)).toEqual(told)
      },
    ),
    { numRuns: 15, endOnFailure: true },
  )
}, 120_000)

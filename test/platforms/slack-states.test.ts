import { describe, expect, test } from "vitest"
import type { EntityState } from "../../src/core/envelope.ts"
import { slack } from "../../src/platforms/slack/index.ts"

const ts = "1700000000.500100"
const entity = `slack:message:T1/C1/${ts}`
const link = "<https://github.com/acme/api/pull/42>"
const url = "https://github.com/acme/api/pull/42"

function statesOf(event: object): readonly EntityState[] {
  const payload = { type: "event_callback", team_id: "T1", event }
  const receivedAt = new Date("2026-11-21T12:00:00Z")
  return slack.normalize({ headers: {}, contentType: "application/json", payload, receivedAt }).states ?? []
}

const posted = { type: "message", user: "U1", channel: "C1", ts, event_ts: ts }
const changed = (message: object, eventTs: string) => ({
  type: "message",
  subtype: "message_changed",
  channel: "C1",
  ts: eventTs,
  event_ts: eventTs,
  message: { ts, user: "U1", ...message },
})
const secondsAfter = (text: string) => new Date(1_700_000_000_000 + Number(text) * 1000)

describe("a message states how it stood", () => {
  test("when it was posted, with what it shows", () => {
    const blocks = [{ type: "actions", elements: [{ type: "button", url: "https://x.example/1" }] }]
    expect(statesOf({ ...posted, text: "see it", blocks })).toEqual([
      { entity, at: secondsAfter("0.5"), fields: { text: "see it", link: "https://x.example/1" } },
    ])
  })

  test("when it was edited, whole: what it does not show is gone", () => {
    const edit = changed({ text: "nothing", edited: { user: "U1", ts: "1700000060.000000" } }, "1700000060.2")
    const fields = { text: "nothing", link: null, unfurl: null, shared: null }
    expect(statesOf(edit)).toEqual([{ entity, at: secondsAfter("60.2"), fields }])
  })

  test("when a preview came, with the same text, and the preview in a field of its own", () => {
    const preview = { from_url: "https://x.example/2", service_name: "X", text: "Closes ENG-9" }
    const unfurl = changed({ text: `see ${link}`, attachments: [preview] }, "1700000002.000300")
    const fields = { text: `see ${link}`, link: null, unfurl: "https://x.example/2", shared: null }
    expect(statesOf(unfurl)).toEqual([{ entity, at: secondsAfter("2"), fields }])
  })

  test("when it was deleted, and when only a tombstone of it is left", () => {
    const deleted = { ...posted, subtype: "message_deleted", ts: "1700000070.1", deleted_ts: ts }
    const gone = { entity, at: secondsAfter("70.1"), fields: {}, deleted: true, final: true }
    expect(statesOf({ ...deleted, event_ts: "1700000070.1" })).toEqual([gone])
    const tombstone = changed({ subtype: "tombstone", text: "This message was deleted." }, "1700000070.1")
    expect(statesOf(tombstone)).toEqual([gone])
  })

  test("never as changed before it was said, although an edit found in the history is cut to the second", () => {
    const edit = changed({ text: "b", edited: { ts: "1700000000.000000" } }, "1700000000.000000")
    expect(statesOf(edit)[0]?.at).toEqual(secondsAfter("0.501"))
  })

  test("in links that were shared, apart from its own text", () => {
    const shared = { type: "link_shared", channel: "C1", message_ts: ts, links: [{ url }], event_ts: ts }
    expect(statesOf(shared)).toEqual([{ entity, at: secondsAfter("0.5"), fields: { shared: url } }])
    const draft = { ...shared, channel: "COMPOSER", message_ts: "0f3a0000-draft", source: "composer" }
    expect(statesOf(draft)).toEqual([])
  })

  test("not at all where it has no time, or no place", () => {
    expect(statesOf({ type: "message", channel: "C1", text: "x" })).toEqual([])
    expect(statesOf({ ...posted, channel: null, text: "x" })).toEqual([])
  })
})

describe("channels and users", () => {
  const at = secondsAfter("1")
  const event_ts = "1700000001.000000"
  const channel = "slack:channel:T1/C1"

  test.each([
    [{ type: "channel_created", channel: { id: "C1", name: "incidents" } }, { name: "incidents" }],
    [{ type: "channel_rename", channel: { id: "C1", name: "outages" } }, { name: "outages" }],
    [{ type: "channel_archive", channel: "C1" }, { archived: true }],
    [{ type: "channel_unarchive", channel: "C1" }, { archived: false }],
  ])("%j", (event, fields) => {
    expect(statesOf({ ...event, event_ts })).toEqual([{ entity: channel, at, fields }])
  })

  test.each([
    [{ subtype: "channel_name", name: "outages", old_name: "incidents" }, { name: "outages" }],
    [{ subtype: "channel_topic", topic: "Login" }, { topic: "Login" }],
    [{ subtype: "channel_topic", topic: "" }, { topic: null }],
    [{ subtype: "group_purpose", purpose: "All of it" }, { purpose: "All of it" }],
  ])("told in the channel itself: %j", (event, fields) => {
    const states = statesOf({ type: "message", channel: "C1", ts, text: "x", event_ts, ...event })
    expect(states).toContainEqual({ entity: channel, at, fields })
  })

  test("a name that is missing is not stated", () => {
    expect(statesOf({ type: "channel_rename", channel: { id: "C1" }, event_ts })).toEqual([])
  })

  test("a user's names", () => {
    const user = { id: "U1", name: "dev", profile: { real_name: "A Developer" } }
    expect(statesOf({ type: "user_change", user, event_ts })).toEqual([
      { entity: "slack:user:T1/U1", at, fields: { name: "dev", realName: "A Developer" } },
    ])
  })
})

import type { Fields } from "../../../core/fields.ts"
import { fieldsOf, listOf } from "../../../core/fields.ts"
import type { LoggedRecord } from "../../../core/remote.ts"
import { tsOrNull } from "../keys.ts"
import { messageState } from "../state.ts"
import type { Conversation, Workspace } from "./workspace.ts"

/** A span of time in Slack's `seconds.microseconds`, both ends within it. */
export interface Span {
  oldest: string
  latest: string
}

/** The instant as Slack writes it. */
export function tsOf(at: Date): string {
  return `${Math.floor(at.getTime() / 1000)}.${String(at.getTime() % 1000).padStart(3, "0")}000`
}

/** Whether Slack's time is within the span; false for what is no time. */
function isWithin({ oldest, latest }: Span, ts: unknown): ts is string {
  const at = tsOrNull(ts)
  return at !== null && Number(at) >= Number(oldest) && Number(at) <= Number(latest)
}

/**
 * What a message in the history tells of, as events would have: that it was said, that the app was
 * mentioned in it, and that it was edited, each where it happened within the span. What was said at
 * first and edited since comes with the words of today: the history knows no others.
 */
export function recordsOf(
  workspace: Workspace,
  conversation: Conversation,
  message: Fields,
  span: Span,
): LoggedRecord[] {
  const { ts, edited, subtype } = message
  // What is left of a deleted message that was answered, and what is shown to one person alone.
  if (subtype === "tombstone" || message["is_ephemeral"] === true || tsOrNull(ts) === null) return []
  const records: LoggedRecord[] = []
  const said = withoutTallies(message)
  const place = { channel: conversation.id, channel_type: conversation.channelType }
  const add = (name: "message" | "app_mention", at: string, event: Fields, editedTs?: string): void => {
    const state = messageState({
      name,
      team: workspace.teamId,
      channel: conversation.id,
      ts,
      ...(editedTs === undefined ? {} : { editedTs }),
    })
    if (state !== null) records.push(recordOf(workspace, state, at, { ...event, type: name }))
  }
  if (isWithin(span, ts)) {
    // What began a thread was in none when it was said.
    const { thread_ts: thread, ...first } = said
    const event = thread === ts ? first : said
    add("message", ts, { ...event, ...place, event_ts: ts })
    if (mentions(workspace, conversation, message)) {
      add("app_mention", ts, { ...event, channel: conversation.id, event_ts: ts })
    }
  }
  const editedTs = fieldsOf(edited)["ts"]
  if (isWithin(span, editedTs)) {
    const changed = { subtype: "message_changed", hidden: true, ts: editedTs, event_ts: editedTs }
    add("message", editedTs, { ...changed, ...place, message: { ...said, edited } }, editedTs)
  }
  return records
}

/** Events tell of a message at the moment it is said, when nothing was counted on it yet. */
const tallies = new Set([
  "edited",
  "is_locked",
  "last_read",
  "latest_reply",
  "reactions",
  "reply_count",
  "reply_users",
  "reply_users_count",
  "subscribed",
])

function withoutTallies(message: Fields): Fields {
  return Object.fromEntries(Object.entries(message).filter(([member]) => !tallies.has(member)))
}

/** A direct message to the app is no mention, and neither is what the app says itself. */
function mentions(
  { botUserId, hearsMentions }: Workspace,
  { channelType }: Conversation,
  message: Fields,
): boolean {
  const { text, user } = message
  const isMention = typeof text === "string" && text.includes(`<@${botUserId}>`)
  return hearsMentions && isMention && channelType !== "im" && user !== botUserId
}

function recordOf(workspace: Workspace, state: string, at: string, event: Fields): LoggedRecord {
  const { teamId, enterpriseId, botUserId, appId } = workspace
  const key = `Backfill-${state}`
  const body = {
    team_id: teamId,
    ...(appId === null ? {} : { api_app_id: appId }),
    event,
    type: "event_callback",
    event_id: key,
    event_time: Math.floor(Number(at)),
    authorizations: [
      {
        enterprise_id: enterpriseId,
        team_id: teamId,
        user_id: botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
  }
  return {
    kind: "record",
    key,
    at: new Date(Number(at) * 1000),
    known: { state },
    recovered: {
      headers: {},
      contentType: "application/json",
      body: Buffer.from(JSON.stringify(body)),
    },
  }
}

/** Messages of a page that were answered within the span, or after its beginning at least, by their time. */
export function threadsIn(messages: unknown, { oldest }: Span): string[] {
  return listOf(messages)
    .map(fieldsOf)
    .filter(({ latest_reply: latest }) => tsOrNull(latest) !== null && Number(latest) >= Number(oldest))
    .flatMap(({ ts }) => tsOrNull(ts) ?? [])
    .toSorted((a, b) => Number(a) - Number(b))
}

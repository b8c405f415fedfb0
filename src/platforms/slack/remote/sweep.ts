import type { WebClient } from "@slack/web-api"
import { z } from "zod"
import { type Fields, fieldsOf, listOf } from "../../../core/fields.ts"
import type { RecoveryAccess, SweepPage, SweepWindow } from "../../../core/remote.ts"
import { type SlackApi, slackApi, slackCode } from "./client.ts"
import { tsOrNull } from "../keys.ts"
import { recordsOf, type Span, threadsIn, tsOf } from "./record.ts"
import { type Conversation, conversationsOf, type Workspace, workspaceOf } from "./workspace.ts"

const pageSize = 200 // what Slack recommends at most

/** Hours before the window in which a message may stand that was edited or answered within it. */
const lookbackHours = 24

const positionForm = z.object({
  /** Conversation being read; all with a lesser id are done. Null at the end of all. */
  channel: z.string().nullable(),
  /** Time from which its history is read on, backwards; empty for the latest, null once it is read. */
  history: z.string().nullable(),
  /** Threads of the part read last, which come first. */
  threads: z.array(z.string()),
  /** Slack's cursor within the first of them. */
  replies: z.string().nullable(),
})
type Position = z.infer<typeof positionForm>

interface Reading {
  api: SlackApi
  workspace: Workspace
  /** What is told of. */
  span: Span
  /** What is read. */
  read: Span
}

/** Reads the conversations that the bot is in, one after the other: their messages, and what answers them. */
export async function* sweep(access: RecoveryAccess, window: SweepWindow): AsyncIterable<SweepPage> {
  const position = positionOf(window.cursor)
  if (position.channel === null) return
  const api = slackApi(access)
  const workspace = await workspaceOf(api)
  const span = { oldest: tsOf(window.since), latest: tsOf(window.until) }
  const before = tsOf(new Date(window.since.getTime() - lookback(access.settings)))
  const reading = { api, workspace, span, read: { oldest: before, latest: span.latest } }
  const conversations = await conversationsOf(api, workspace)
  const left = conversations.filter(({ id }) => id >= (position.channel ?? ""))
  for (const [index, conversation] of left.entries()) {
    const start = conversation.id === position.channel ? position : startOf(conversation.id)
    const progress = `${conversation.id}, ${index + 1} of ${left.length} conversations left`
    const next = startOf(left[index + 1]?.id ?? null)
    for await (const { findings, cursor } of pagesOf(reading, conversation, start, next)) {
      yield { findings, cursor: JSON.stringify(cursor), progress }
    }
  }
}

function lookback({ lookbackHours: hours }: Fields): number {
  const chosen = typeof hours === "number" && hours >= 0 ? Math.min(hours, 720) : lookbackHours
  return chosen * 3_600_000
}

function startOf(channel: string | null): Position {
  return { channel, history: "", threads: [], replies: null }
}

function positionOf(cursor: string | null): Position {
  try {
    return positionForm.parse(JSON.parse(cursor ?? ""))
  } catch {
    return startOf("")
  }
}

interface Part {
  findings: SweepPage["findings"]
  cursor: Position
}

/** A conversation from where it stands to where the next begins; threads come right after what they belong to. */
async function* pagesOf(
  { api, workspace, span, read }: Reading,
  conversation: Conversation,
  start: Position,
  next: Position,
): AsyncIterable<Part> {
  const channel = conversation.id
  const findings = (messages: readonly Fields[]): SweepPage["findings"] =>
    messages.flatMap((message) => recordsOf(workspace, conversation, message, span))
  const bounds = { channel, ...read, inclusive: true, limit: pageSize }
  for (let at = start; ;) {
    const [thread, ...threads] = at.threads
    let messages: Fields[]
    if (thread !== undefined) {
      const answers = await repliesOf(api, { ...bounds, ts: thread }, at.replies)
      messages = answers.messages.filter((message) => isOwnTo(thread, message))
      const { cursor } = answers
      at = cursor === null ? { ...at, threads, replies: null } : { ...at, replies: cursor }
    } else {
      const latest = at.history || read.latest
      const page = await messagesOf(api, (client) => client.conversations.history({ ...bounds, latest }))
      messages = page.messages
      const history = page.hasMore ? oldestOf(messages, latest) : null
      at = { channel, history, threads: threadsIn(messages, span), replies: null }
    }
    const isDone = at.history === null && at.threads.length === 0
    yield { findings: findings(messages), cursor: isDone ? next : at }
    if (isDone) return
  }
}

/**
 * Where the history goes on: at its oldest message so far, read once more. A time does not expire, as
 * Slack's cursors do while a sweep waits for a limit to pass. Null where there is none before `latest`.
 */
function oldestOf(messages: readonly Fields[], latest: string): string | null {
  const times = messages.flatMap(({ ts }) => tsOrNull(ts) ?? [])
  const oldest = times.reduce((a, b) => (Number(b) < Number(a) ? b : a), latest)
  return oldest === latest ? null : oldest
}

/** The message that began a thread, and what was sent to the channel as well, come with its history. */
function isOwnTo(thread: string, { ts, subtype }: Fields): boolean {
  return ts !== thread && subtype !== "thread_broadcast"
}

interface Messages {
  messages: Fields[]
  hasMore: boolean
  /** Slack's cursor of the page that follows; null at the end. */
  cursor: string | null
}

type Answer = Awaited<ReturnType<WebClient["conversations"]["history" | "replies"]>>
type Thread = Parameters<WebClient["conversations"]["replies"]>[0]

async function repliesOf(api: SlackApi, thread: Thread, cursor: string | null): Promise<Messages> {
  const given = cursor === null ? {} : { cursor }
  try {
    return await messagesOf(api, (client) => client.conversations.replies({ ...thread, ...given }))
  } catch (error) {
    // It has expired meanwhile; what is read again is known by then.
    if (cursor !== null && slackCode(error) === "invalid_cursor") return repliesOf(api, thread, null)
    throw error
  }
}

// Between the listing and the reading the bot may have been asked to leave, and a thread been deleted.
const gone = new Set(["channel_not_found", "not_in_channel", "thread_not_found", "message_not_found"])

async function messagesOf(api: SlackApi, request: (client: WebClient) => Promise<Answer>): Promise<Messages> {
  try {
    const answer = await api.call(request)
    const cursor = answer.response_metadata?.next_cursor ?? ""
    return {
      messages: listOf(answer.messages).map(fieldsOf),
      hasMore: answer.has_more === true,
      cursor: cursor === "" ? null : cursor,
    }
  } catch (error) {
    if (gone.has(slackCode(error) ?? "")) return { messages: [], hasMore: false, cursor: null }
    throw error
  }
}

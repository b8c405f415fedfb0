import { randomOf } from "./random.ts"

export type Message = Record<string, unknown> & { ts: string; user: string; text: string }

/** A conversation, oldest message first; replies stand in their thread. */
export interface Channel {
  id: string
  kind: "channel" | "group" | "im"
  messages: Message[]
  threads: Map<string, Message[]>
}

/** An event of Slack's, sent or not. */
export interface SlackDelivery {
  /** The Events API's own id of it. */
  key: string
  /** `message posted`, `message edited`, …: what kind of thing it tells of. */
  kind: "posted" | "mentioned" | "edited" | "deleted" | "reacted"
  channel: string
  ts: string
  editedTs?: string
  at: Date
  body: string
}

/** A workspace: its conversations, and what is said there. */
export interface SlackWorkspace {
  teamId: string
  botUserId: string
  channels: Map<string, Channel>
  /** Lets something be said, answered, edited, deleted or reacted to; a mention is two events. */
  happen(at: Date): SlackDelivery[]
  say(channel: string, at: Date, more?: { text?: string; thread?: string; user?: string }): SlackDelivery[]
  edit(channel: string, message: Message, at: Date): SlackDelivery
  remove(channel: string, message: Message, at: Date): SlackDelivery
  /** Whether the history can still tell of what a delivery told of. */
  isTold(delivery: SlackDelivery): boolean
}

/** Slack's time of an instant, with a counter to tell apart what is said at the same time. */
function tsAt(at: Date, counter = 219): string {
  const ms = at.getTime()
  return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}${String(counter).padStart(3, "0")}`
}

/** Makes a workspace with public, private and direct conversations; the same for the same seed. */
export function createSlackWorkspace(seed: number): SlackWorkspace {
  const random = randomOf(seed)
  const teamId = "T0WORLD01"
  const botUserId = "U0BOT0001"
  let count = 0
  const channels = new Map<string, Channel>(
    (
      [
        ["C0GENERAL", "channel"],
        ["C0DEV0001", "channel"],
        ["C0QUIET01", "channel"],
        ["G0PRIVATE", "group"],
        ["D0DIRECT1", "im"],
      ] as const
    ).map(([id, kind]) => [id, { id, kind, messages: [], threads: new Map() }]),
  )
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!

  function envelope(event: Record<string, unknown>, eventTs: string): { key: string; body: string } {
    const key = `Ev0${seed.toString(36)}${(count++).toString(36).padStart(6, "0")}`.toUpperCase()
    const body = JSON.stringify({
      token: "deprecated",
      team_id: teamId,
      context_team_id: teamId,
      context_enterprise_id: null,
      api_app_id: "A0WORLD01",
      event,
      type: "event_callback",
      event_id: key,
      event_time: Math.floor(Number(eventTs)),
      authorizations: [
        {
          enterprise_id: null,
          team_id: teamId,
          user_id: botUserId,
          is_bot: true,
          is_enterprise_install: false,
        },
      ],
      is_ext_shared_channel: false,
      event_context: "4-world",
    })
    return { key, body }
  }

  function say(
    id: string,
    at: Date,
    {
      text = `About ENG-${count}`,
      thread,
      user = pick(["U0DEV0001", "U0MAINT01"]),
    }: { text?: string; thread?: string; user?: string } = {},
  ): SlackDelivery[] {
    const channel = channelOf(id)
    const ts = tsAt(at)
    const message: Message = {
      type: "message",
      user,
      ts,
      client_msg_id: `5a5e0000-0000-4000-8000-${String(count).padStart(12, "0")}`,
      text,
      team: teamId,
      ...(user === botUserId ? { bot_id: "B0WORLD01", app_id: "A0WORLD01" } : {}),
      ...(thread === undefined ? {} : { thread_ts: thread, parent_user_id: "U0DEV0001" }),
    }
    if (thread === undefined) channel.messages.push(message)
    else answer(channel, thread, message)
    const event = { ...message, channel: id, event_ts: ts }
    const posted = envelope({ ...event, channel_type: channel.kind }, ts)
    const deliveries: SlackDelivery[] = [{ ...posted, kind: "posted", channel: id, ts, at }]
    if (text.includes(`<@${botUserId}>`) && channel.kind !== "im") {
      const mentioned = envelope({ ...event, type: "app_mention" }, ts)
      deliveries.push({ ...mentioned, kind: "mentioned", channel: id, ts, at })
    }
    return deliveries
  }

  function answer(channel: Channel, thread: string, message: Message): void {
    const replies = channel.threads.get(thread) ?? []
    replies.push(message)
    channel.threads.set(thread, replies)
    const root = channel.messages.find(({ ts }) => ts === thread)
    if (root === undefined) throw new Error(`no thread ${thread}`)
    Object.assign(root, {
      thread_ts: thread,
      reply_count: replies.length,
      latest_reply: message.ts,
      reply_users_count: 1,
    })
  }

  function edit(id: string, message: Message, at: Date): SlackDelivery {
    const editedTs = tsAt(at, 0)
    const before = { ...message }
    message.text = `${message.text}, edited`
    message["edited"] = { user: message.user, ts: editedTs }
    const ts = tsAt(at, 300)
    const changed = envelope(
      {
        type: "message",
        subtype: "message_changed",
        hidden: true,
        channel: id,
        channel_type: channelOf(id).kind,
        ts,
        event_ts: ts,
        message: { ...message },
        previous_message: before,
      },
      ts,
    )
    return { ...changed, kind: "edited", channel: id, ts: message.ts, editedTs, at }
  }

  function remove(id: string, message: Message, at: Date): SlackDelivery {
    const channel = channelOf(id)
    channel.messages = channel.messages.filter((one) => one !== message)
    const ts = tsAt(at, 400)
    const event = {
      type: "message",
      subtype: "message_deleted",
      hidden: true,
      channel: id,
      channel_type: channel.kind,
    }
    const times = { ts, event_ts: ts, deleted_ts: message.ts, previous_message: message }
    return { ...envelope({ ...event, ...times }, ts), kind: "deleted", channel: id, ts: message.ts, at }
  }

  function react(id: string, message: Message, at: Date): SlackDelivery {
    message["reactions"] = [{ name: "+1", count: 1, users: ["U0DEV0001"] }]
    const ts = tsAt(at, 500)
    const item = { type: "message", channel: id, ts: message.ts }
    const event = { type: "reaction_added", user: "U0DEV0001", reaction: "+1", item, event_ts: ts }
    return { ...envelope(event, ts), kind: "reacted", channel: id, ts: message.ts, at }
  }

  function happen(at: Date): SlackDelivery[] {
    const channel = pick([...channels.values()].filter(({ id }) => id !== "C0QUIET01"))
    const recent = channel.messages.slice(-40)
    if (recent.length < 3) return say(channel.id, at)
    const draw = random()
    if (draw < 0.45) return say(channel.id, at)
    if (draw < 0.53) return say(channel.id, at, { text: `<@${botUserId}> what about ENG-${count}?` })
    if (draw < 0.57) return say(channel.id, at, { user: botUserId, text: "Deployed" })
    if (draw < 0.8) return say(channel.id, at, { thread: pick(recent).ts })
    const threads = [...channel.threads.values()].flat()
    if (draw < 0.9)
      return [edit(channel.id, pick(random() < 0.3 && threads.length > 0 ? threads : recent), at)]
    if (draw < 0.95) return [react(channel.id, pick(recent), at)]
    const unanswered = recent.find(({ reply_count: replies }) => replies === undefined)
    return unanswered === undefined ? say(channel.id, at) : [remove(channel.id, unanswered, at)]
  }

  function isTold({ kind, channel: id, ts, editedTs }: SlackDelivery): boolean {
    if (kind === "deleted" || kind === "reacted") return false
    const channel = channelOf(id)
    const message = [...channel.messages, ...[...channel.threads.values()].flat()].find(
      (one) => one.ts === ts,
    )
    if (message === undefined) return false
    return kind !== "edited" || (message["edited"] as { ts: string } | undefined)?.ts === editedTs
  }

  function channelOf(id: string): Channel {
    const channel = channels.get(id)
    if (channel === undefined) throw new Error(`no channel ${id}`)
    return channel
  }

  return { teamId, botUserId, channels, happen, say, edit, remove, isTold }
}

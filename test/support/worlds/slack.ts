import { http, HttpResponse } from "msw"
import { createSlackWorkspace, type Channel, type Message, type SlackWorkspace } from "./slack-things.ts"

export interface SlackWorldOptions {
  clock: () => Date
  seed?: number
  /** What the token may do. */
  scopes?: readonly string[]
  /** Requests a minute of each method. */
  perMinute?: number
  /** The most messages that a page holds, however many are asked for. */
  pageSize?: number
  /** One in so many requests fails, each time in another way; 0 for none. */
  failEvery?: number
  /** Milliseconds for which a cursor can be used. */
  cursorMs?: number
}

/** Slack as far as we speak to it: a workspace behind an API with limits. */
export interface SlackWorld {
  apiUrl: string
  token: string
  workspace: SlackWorkspace
  /** The method of each request. */
  calls: string[]
  /** Requests made although `Retry-After` had asked to wait. */
  violations: string[]
  /** How often a limit was told of. */
  limited: number
  /** Told of each request before it is answered. */
  onCall: (count: number) => void
  handlers: ReturnType<typeof http.post>[]
}

/** What the manifest that `connect` writes asks for. */
export const allScopes = [
  "app_mentions:read",
  "channels:history",
  "channels:read",
  "groups:history",
  "groups:read",
  "im:history",
  "im:read",
]

/** Makes a world; nothing was said in it yet. */
export function createSlackWorld(options: SlackWorldOptions): SlackWorld {
  const { clock, seed = 1, scopes = allScopes, perMinute = 50, pageSize = 200, failEvery = 0 } = options
  const { cursorMs = 3_600_000 } = options
  const apiUrl = "https://slack.test/api/"
  const workspace = createSlackWorkspace(seed)
  const windows = new Map<string, { endsAt: number; used: number; told: boolean }>()
  const world: SlackWorld = {
    apiUrl,
    token: "xoxb-world-token",
    workspace,
    calls: [],
    violations: [],
    limited: 0,
    onCall: () => {},
    handlers: [
      http.post(`${apiUrl}:method`, async ({ request, params }) => {
        const method = String(params["method"])
        const args = new URLSearchParams(await request.text())
        world.calls.push(method)
        world.onCall(world.calls.length)
        return answer(method, args, request)
      }),
    ],
  }
  return world

  function answer(method: string, args: URLSearchParams, request: Request): Response {
    const now = clock().getTime()
    const standing = windows.get(method)
    const window =
      standing !== undefined && now < standing.endsAt
        ? standing
        : { endsAt: now + 60_000, used: 0, told: false }
    windows.set(method, window)
    if (window.used >= perMinute) {
      if (window.told) world.violations.push(`${method} although asked to wait`)
      window.told = true
      world.limited++
      const seconds = Math.ceil((window.endsAt - now) / 1000)
      return HttpResponse.json(
        { ok: false, error: "ratelimited" },
        { status: 429, headers: { "retry-after": String(seconds) } },
      )
    }
    window.used++
    if (request.headers.get("authorization") !== `Bearer ${world.token}`)
      return say({ ok: false, error: "invalid_auth" })
    const failure = failEvery > 0 && world.calls.length % failEvery === 0 ? world.calls.length / failEvery : 0
    if (failure > 0) return fail(failure)
    switch (method) {
      case "auth.test":
        return say({
          ok: true,
          url: "https://acme.slack.com/",
          team: "Acme",
          user: "signalbox",
          team_id: workspace.teamId,
          user_id: workspace.botUserId,
          bot_id: "B0WORLD01",
          is_enterprise_install: false,
        })
      case "users.conversations":
        return conversations(args)
      case "conversations.history":
        return messages(args, (channel) => channel.messages.toReversed())
      case "conversations.replies":
        return messages(args, threadOf)
      default:
        return say({ ok: false, error: "unknown_method" })
    }

    function threadOf(channel: Channel): Message[] {
      const ts = args.get("ts") ?? ""
      const root = channel.messages.filter((message) => message.ts === ts)
      return [...root, ...(channel.threads.get(ts) ?? [])]
    }
  }

  function conversations(args: URLSearchParams): Response {
    const kinds = { public_channel: "channel", private_channel: "group", im: "im", mpim: "mpim" }
    const wanted = (args.get("types") ?? "public_channel").split(",")
    const missing = {
      public_channel: "channels:read",
      private_channel: "groups:read",
      im: "im:read",
      mpim: "mpim:read",
    }
    for (const type of wanted) {
      const scope = missing[type as keyof typeof missing]
      if (!scopes.includes(scope)) return lacks(scope)
    }
    const found = [...workspace.channels.values()]
      .filter(({ kind }) => wanted.some((type) => kinds[type as keyof typeof kinds] === kind))
      .map(({ id, kind }) => ({
        id,
        is_channel: kind === "channel",
        is_group: kind === "group",
        is_im: kind === "im",
        is_private: kind !== "channel",
      }))
    const begin = Number(args.get("cursor") ?? 0)
    const next = begin + 2 < found.length ? String(begin + 2) : ""
    return say({
      ok: true,
      channels: found.slice(begin, begin + 2),
      response_metadata: { next_cursor: next },
    })
  }

  function messages(args: URLSearchParams, all: (channel: Channel) => Message[]): Response {
    const channel = workspace.channels.get(args.get("channel") ?? "")
    if (channel === undefined) return say({ ok: false, error: "channel_not_found" })
    const needed = { channel: "channels:history", group: "groups:history", im: "im:history" }[channel.kind]
    if (!scopes.includes(needed)) return lacks(needed)
    const within = all(channel).filter(({ ts }, index) => {
      const isRoot = args.has("ts") && index === 0
      return isRoot || (Number(ts) >= Number(args.get("oldest")) && Number(ts) <= Number(args.get("latest")))
    })
    const cursor = args.get("cursor")
    const [begin = "0", madeAt = "0"] = (cursor === null ? "" : atob(cursor)).split("@")
    if (cursor !== null && clock().getTime() - Number(madeAt) > cursorMs)
      return say({ ok: false, error: "invalid_cursor" })
    const limit = Math.min(Number(args.get("limit") ?? 100), pageSize)
    const page = within.slice(Number(begin), Number(begin) + limit)
    const hasMore = Number(begin) + limit < within.length
    const next = hasMore ? btoa(`${Number(begin) + limit}@${clock().getTime()}`) : ""
    return say({ ok: true, messages: page, has_more: hasMore, response_metadata: { next_cursor: next } })
  }

  function say(body: Record<string, unknown>): Response {
    return HttpResponse.json(body, { headers: { "x-oauth-scopes": scopes.join(",") } })
  }

  function lacks(needed: string): Response {
    return say({ ok: false, error: "missing_scope", needed, provided: scopes.join(",") })
  }

  function fail(count: number): Response {
    switch (count % 3) {
      case 0:
        return new HttpResponse('{"ok":tr', { headers: { "content-type": "application/json" } })
      case 1:
        return new HttpResponse("upstream connect error", { status: 503 })
      default:
        return say({ ok: false, error: "internal_error" })
    }
  }
}

import { SignalboxError } from "../../../core/errors.ts"
import type { SlackApi } from "./client.ts"

/** Where the bot is, and what its token may read. */
export interface Workspace {
  teamId: string
  enterpriseId: string | null
  botUserId: string
  appId: string | null
  /** Kinds of conversations, as Slack's API names them. */
  types: readonly (typeof readable)[number]["type"][]
  /** Whether mentions of the app come as events of their own. */
  hearsMentions: boolean
}

const readable = [
  { type: "public_channel", scope: "channels:history" },
  { type: "private_channel", scope: "groups:history" },
  { type: "mpim", scope: "mpim:history" },
  { type: "im", scope: "im:history" },
] as const

/**
 * Asks who the bot is. What a scope would let it read is what its events tell of too: the same scopes
 * are needed for both, so that nothing is backfilled that would never have come.
 */
export async function workspaceOf(api: SlackApi): Promise<Workspace> {
  const answer = await api.call((client) => client.auth.test())
  const granted = new Set(answer.response_metadata?.scopes ?? [readable[0].scope])
  const types = readable.filter(({ scope }) => granted.has(scope)).map(({ type }) => type)
  if (types.length === 0) {
    throw new SignalboxError(
      "forbidden",
      "Slack's bot token may read no conversation: add the scopes channels:read and channels:history under OAuth & Permissions and install the app again",
    )
  }
  const { team_id: teamId, user_id: botUserId } = answer
  if (teamId === undefined || botUserId === undefined) {
    throw new SignalboxError("unauthenticated", "Slack's token is not that of a bot in a workspace")
  }
  return {
    teamId,
    enterpriseId: answer.enterprise_id ?? null,
    botUserId,
    appId: answer.app_id ?? null,
    types,
    hearsMentions: granted.has("app_mentions:read"),
  }
}

/** A conversation that the bot is in. */
export interface Conversation {
  id: string
  /** As events have it. */
  channelType: "channel" | "group" | "mpim" | "im"
}

/** Lists the conversations that the bot is in, by id. Those it has left tell it nothing any more. */
export async function conversationsOf(api: SlackApi, { types }: Workspace): Promise<Conversation[]> {
  const found: Conversation[] = []
  for (let cursor = ""; ;) {
    const page = await api.call((client) =>
      client.users.conversations({
        types: types.join(","),
        exclude_archived: false,
        limit: 200,
        ...(cursor === "" ? {} : { cursor }),
      }),
    )
    for (const { id, is_im, is_mpim, is_private } of page.channels ?? []) {
      if (id === undefined) continue
      const channelType = is_im ? "im" : is_mpim ? "mpim" : is_private ? "group" : "channel"
      found.push({ id, channelType })
    }
    cursor = page.response_metadata?.next_cursor ?? ""
    if (cursor === "") return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }
}

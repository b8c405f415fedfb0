import type { AppsManifestValidateArguments } from "@slack/web-api"
import { SignalboxError } from "../../../core/errors.ts"

/** An app's manifest, as https://docs.slack.dev/reference/app-manifest has it. */
export type Manifest = AppsManifestValidateArguments["manifest"]

/** What a manifest is made for. */
export interface ManifestRequest {
  name: string
  /** https address of the source. */
  url: string
  /** Slash command to be told of (`/deploy`); null for none. */
  command: string | null
  /** Whether the hub is to post links to timelines. */
  notes: boolean
}

// Each event with the scope it takes; histories of the same conversations are read by the same scopes.
const events = [
  ["app_mention", "app_mentions:read"],
  ["channel_archive", "channels:read"],
  ["channel_created", "channels:read"],
  ["channel_rename", "channels:read"],
  ["channel_unarchive", "channels:read"],
  ["member_joined_channel", "channels:read"],
  ["member_left_channel", "channels:read"],
  ["message.channels", "channels:history"],
  ["message.groups", "groups:history"],
  ["message.im", "im:history"],
  ["pin_added", "pins:read"],
  ["reaction_added", "reactions:read"],
  ["reaction_removed", "reactions:read"],
] as const

/** For listing the conversations that the bot is in. */
const listing = ["groups:read", "im:read"] as const

/** The manifest of an app that sends its events to the source; throws `bad_request` for what Slack would not take. */
export function manifestOf({ name, url, command, notes }: ManifestRequest): Manifest {
  if (URL.parse(url)?.protocol !== "https:") {
    throw new SignalboxError("bad_request", `Slack sends to https addresses only, and ${url} is none`)
  }
  if (name.trim() === "" || name.length > 35) {
    throw new SignalboxError("bad_request", "the name of a Slack app has 1 to 35 characters")
  }
  if (command !== null && !/^\/[^\s/]{1,31}$/.test(command)) {
    throw new SignalboxError("bad_request", "a slash command is a slash and up to 31 characters: /deploy")
  }
  const scopes = [...new Set([...events.map(([, scope]) => scope), ...listing])].toSorted()
  const bot = [
    ...scopes,
    ...(command === null ? [] : (["commands"] as const)),
    ...(notes ? (["chat:write"] as const) : []),
  ]
  return {
    _metadata: { major_version: 1 },
    display_information: { name, description: "Sends what happens in Slack to signalbox." },
    features: {
      // Of these characters only, unlike the app's own name.
      bot_user: { display_name: name.toLowerCase().replace(/[^a-z0-9._-]+/g, "-"), always_online: true },
      ...(command === null
        ? {}
        : { slash_commands: [{ command, url, description: `Tells ${name}`, should_escape: true }] }),
    },
    oauth_config: { scopes: { bot } },
    settings: {
      event_subscriptions: { request_url: url, bot_events: events.map(([event]) => event) },
      interactivity: { is_enabled: true, request_url: url },
      org_deploy_enabled: false,
      socket_mode_enabled: false,
      token_rotation_enabled: false,
    },
  }
}

import { SignalboxError } from "../../../core/errors.ts"
import type { ConnectPlan, ConnectRequest } from "../../../core/remote.ts"
import { manifestOf } from "./manifest.ts"

/** Options of `sources connect slack`. */
export const connectOptions = {
  name: "name of the app in Slack (signalbox)",
  command: "slash command to be told of as well (/deploy)",
  notes: "yes where the hub is to post links to timelines, which takes the scope chat:write (no)",
}

/**
 * Plans an app by its manifest, which somebody has to paste: Slack makes the signing secret and shows
 * it to them alone. Nothing is asked of Slack.
 */
export function plan({ source, webhookUrl, options }: ConnectRequest): Promise<ConnectPlan> {
  const name = options["name"] ?? "signalbox"
  const text = JSON.stringify(
    manifestOf({
      name,
      url: webhookUrl,
      command: options["command"] ?? null,
      notes: isYes(options["notes"]),
    }),
    null,
    2,
  )
  return Promise.resolve({
    steps: [
      {
        action: "paste",
        what: `at https://api.slack.com/apps?new_app=1 choose “From a manifest”, paste the one that --apply prints, and install the app ${name}`,
      },
      {
        action: "paste",
        what: `give the Signing Secret under Basic Information to the source (signalbox sources rotate slack/${source} --secret-stdin), then press Retry under Event Subscriptions`,
      },
      {
        action: "paste",
        what: `give the Bot User OAuth Token under OAuth & Permissions to the source (signalbox sources set slack/${source} --token-stdin) or to the hub (SLACK_BOT_TOKEN), so that it finds what did not come`,
      },
    ],
    apply: () => Promise.resolve({ settings: { app: name }, text }),
  })
}

function isYes(word = "no"): boolean {
  if (word === "yes" || word === "no") return word === "yes"
  throw new SignalboxError("bad_request", "--notes takes yes or no")
}

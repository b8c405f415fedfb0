import type { Command } from "../../command.ts"
import { remoteOptions } from "../../remote.ts"
import { remoteActions } from "../../remote-actions.ts"
import { actions } from "./actions.ts"

const text = { type: "string" } as const
const flag = { type: "boolean" } as const

/** `signalbox subscriptions`: webhooks that a running hub sends. */
export const subscriptionsCommand: Command = {
  name: "subscriptions",
  summary: "Make, list, change, test and retry webhook subscriptions",
  ...remoteActions("subscriptions", actions),
  options: {
    ...remoteOptions,
    stream: text,
    filter: text,
    format: text,
    payload: text,
    ordered: flag,
    concurrency: text,
    rate: text,
    "timeout-ms": text,
    from: text,
    skip: flag,
    "overlap-hours": text,
    status: { type: "string", multiple: true },
    limit: text,
    event: text,
    since: text,
    until: text,
  },
}

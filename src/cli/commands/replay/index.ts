import { z } from "zod"
import { textOption, type Command, type CommandContext } from "../../command.ts"
import { remoteOptions } from "../../remote.ts"
import { remoteActions, type RemoteAction } from "../../remote-actions.ts"
import { ask, pathOf, replay } from "./request.ts"
import { follow, inWords } from "./show.ts"
import { startReplay } from "./start.ts"

const pageSize = 500

const actions: Readonly<Record<string, RemoteAction>> = {
  start: {
    usage:
      "NAME [--type PATTERN]… [--filter JSON] [--since 7d] [--until TIME] [--after POSITION] [--up-to POSITION] [--entity ENG-123] [--correlation ID] [--only delivered|dead|skipped]… [--rate N] [--max-outstanding N] [--dry-run] [--follow]",
    run: startReplay,
  },
  list: {
    usage: "[--status running|paused|cancelled|completed]",
    async run(context) {
      const page = z.looseObject({ replays: z.array(replay), nextCursor: z.string().nullable() })
      const query = new URLSearchParams({ limit: String(pageSize) })
      const status = textOption(context.options, "status")
      if (status !== undefined) query.set("status", status)
      for (let cursor: string | null = ""; cursor !== null;) {
        if (cursor !== "") query.set("cursor", cursor)
        const { replays, nextCursor } = await ask(context, page, "GET", `?${query.toString()}`)
        for (const one of replays) context.out(context.json ? JSON.stringify(one) : inWords(one))
        cursor = nextCursor
      }
      return 0
    },
  },
  show: { usage: "ID", run: (context) => shown(context, "GET", "") },
  follow: {
    usage: "ID",
    run: async (context) => follow(context, await ask(context, replay, "GET", pathOf(context))),
  },
  pause: { usage: "ID", run: (context) => shown(context, "POST", "/pause") },
  resume: { usage: "ID", run: (context) => shown(context, "POST", "/resume") },
  cancel: { usage: "ID", run: (context) => shown(context, "DELETE", "") },
}

async function shown(context: CommandContext, method: string, action: string): Promise<number> {
  const one = await ask(context, replay, method, pathOf(context) + action)
  context.out(context.json ? JSON.stringify(one) : inWords(one))
  return 0
}

const text = { type: "string" } as const
const texts = { type: "string", multiple: true } as const
const flag = { type: "boolean" } as const

/** `signalbox replay`: has a running hub hand events of the past once more to one consumer. */
export const replayCommand: Command = {
  name: "replay",
  summary: "Hand events of the past once more to a webhook subscription, a handler or a group",
  ...remoteActions("replay", actions),
  options: {
    ...remoteOptions,
    type: texts,
    filter: text,
    since: text,
    until: text,
    after: text,
    "up-to": text,
    entity: text,
    correlation: text,
    only: texts,
    rate: text,
    "max-outstanding": text,
    "dry-run": flag,
    follow: flag,
    status: text,
  },
}

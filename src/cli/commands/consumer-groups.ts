import { z } from "zod"
import { SignalboxError } from "../../core/errors.ts"
import { textOption, type Command, type CommandContext } from "../command.ts"
import { remoteOptions, askHub } from "../remote.ts"
import { remoteActions, type RemoteAction } from "../remote-actions.ts"
import { formatTable } from "../table.ts"

const path = "/api/v1/consumer-groups"
const text = { type: "string" } as const
const pageSize = 500

const group = z.looseObject({
  name: z.string(),
  stream: z.string(),
  partitionCount: z.number(),
  sessionSeconds: z.number(),
})
const shownGroup = group.extend({
  lag: z.number(),
  lagSeconds: z.number(),
  members: z.array(
    z.looseObject({ name: z.string(), joinedAt: z.string(), partitions: z.array(z.number()) }),
  ),
  partitions: z.array(
    z.looseObject({
      partition: z.number(),
      owner: z.looseObject({ name: z.string() }).nullable(),
      generation: z.number(),
      committed: z.number(),
      head: z.number(),
      lag: z.number(),
    }),
  ),
})

const actions: Readonly<Record<string, RemoteAction>> = {
  list: {
    usage: "",
    async run(context) {
      const page = z.looseObject({ groups: z.array(group), nextCursor: z.string().nullable() })
      const rows: Record<string, unknown>[] = []
      for (let cursor: string | null = ""; cursor !== null;) {
        const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`
        const { groups, nextCursor } = await ask(context, page, "GET", `?limit=${pageSize}${query}`)
        for (const one of groups) {
          if (context.json) context.out(JSON.stringify(one))
          else rows.push({ ...one, partitions: one.partitionCount })
        }
        cursor = nextCursor
      }
      if (!context.json) context.out(formatTable(["name", "stream", "partitions", "sessionSeconds"], rows))
      return 0
    },
  },

  show: {
    usage: "NAME",
    async run(context) {
      const one = await ask(context, shownGroup, "GET", `/${named(context)}`)
      context.out(context.json ? JSON.stringify(one) : inWords(one))
      return 0
    },
  },

  create: {
    usage:
      "NAME [--stream NAME] [--filter JSON] [--start earliest|latest|POSITION] [--partitions N] [--session SECONDS] [--max-members N]",
    async run(context) {
      const { options } = context
      named(context)
      const start = textOption(options, "start")
      const made = await ask(context, group, "POST", "", {
        name: context.positionals[1],
        stream: textOption(options, "stream"),
        filter: readFilter(textOption(options, "filter")),
        start: start === "earliest" || start === "latest" ? start : numberIn(context, "start"),
        partitions: numberIn(context, "partitions"),
        sessionSeconds: numberIn(context, "session"),
        maxMembers: numberIn(context, "max-members"),
      })
      const words = `${made.name} stands on ${made.stream}, in ${made.partitionCount} partitions`
      context.out(context.json ? JSON.stringify(made) : words)
      return 0
    },
  },

  delete: {
    usage: "NAME",
    async run(context) {
      await ask(context, z.null(), "DELETE", `/${named(context)}`)
      context.out(
        context.json ? JSON.stringify({ deleted: true }) : "deleted, with its positions and its members",
      )
      return 0
    },
  },
}

/** `signalbox consumer-groups`: programs that share a stream of a running hub. */
export const consumerGroupsCommand: Command = {
  name: "consumer-groups",
  summary: "Make, list, show and delete groups of programs that share a stream",
  ...remoteActions("consumer-groups", actions),
  options: {
    ...remoteOptions,
    stream: text,
    filter: text,
    start: text,
    partitions: text,
    session: text,
    "max-members": text,
  },
}

async function ask<T>(
  context: CommandContext,
  schema: z.ZodType<T>,
  method: string,
  rest: string,
  body?: object,
): Promise<T> {
  return askHub(context, schema, method, path + rest, body)
}

function inWords(one: z.infer<typeof shownGroup>): string {
  const members = one.members.map((member) => ({ ...member, partitions: member.partitions.join(" ") }))
  const partitions = one.partitions.map((row) => ({ ...row, owner: row.owner?.name ?? "nobody" }))
  return [
    `${one.name}  on ${one.stream}  ${one.lag} behind${one.lag > 0 ? ` (${Math.round(one.lagSeconds)} s)` : ""}`,
    "",
    formatTable(["partition", "owner", "generation", "committed", "head", "lag"], partitions),
    "",
    members.length === 0 ? "no members" : formatTable(["name", "partitions", "joinedAt"], members),
  ].join("\n")
}

function named({ positionals }: CommandContext): string {
  const [, name] = positionals
  if (name === undefined) throw new SignalboxError("bad_request", "name the group")
  return encodeURIComponent(name)
}

function numberIn({ options }: CommandContext, name: string): number | undefined {
  const given = textOption(options, name)
  if (given === undefined) return undefined
  const value = Number(given)
  if (given.trim() !== "" && Number.isFinite(value)) return value
  throw new SignalboxError("bad_request", `--${name} takes a number`)
}

function readFilter(given: string | undefined): unknown {
  if (given === undefined) return undefined
  try {
    return JSON.parse(given)
  } catch (cause) {
    throw new SignalboxError("bad_request", '--filter takes JSON, such as \'{"platforms": ["github"]}\'', {
      cause,
    })
  }
}

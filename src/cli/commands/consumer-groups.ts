import { z } from "zod"
import { textOption, type Command } from "../command.ts"
import { readDecimal, readFilter } from "../read-value.ts"
import { askUnder, remoteOptions } from "../remote.ts"
import { named, pathOfNamed, remoteActions, type RemoteAction } from "../remote-actions.ts"
import { formatTable } from "../table.ts"

const ask = askUnder("/api/v1/consumer-groups")
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
      const one = await ask(context, shownGroup, "GET", pathOfNamed(context, "group"))
      context.out(context.json ? JSON.stringify(one) : inWords(one))
      return 0
    },
  },

  create: {
    usage:
      "NAME [--stream NAME] [--filter JSON] [--start earliest|latest|POSITION] [--partitions N] [--session SECONDS] [--max-members N]",
    async run(context) {
      const { options } = context
      const name = named(context, "group")
      const start = textOption(options, "start")
      const made = await ask(context, group, "POST", "", {
        name,
        stream: textOption(options, "stream"),
        filter: readFilter(options),
        start: start === "earliest" || start === "latest" ? start : readDecimal(options, "start"),
        partitions: readDecimal(options, "partitions"),
        sessionSeconds: readDecimal(options, "session"),
        maxMembers: readDecimal(options, "max-members"),
      })
      const words = `${made.name} stands on ${made.stream}, in ${made.partitionCount} partitions`
      context.out(context.json ? JSON.stringify(made) : words)
      return 0
    },
  },

  delete: {
    usage: "NAME",
    async run(context) {
      await ask(context, z.null(), "DELETE", pathOfNamed(context, "group"))
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

import { z } from "zod"
import { SignalboxError } from "../../core/errors.ts"
import { textOption, type Command, type CommandContext } from "../command.ts"
import { oneLine } from "../one-line.ts"
import { readNumber, readTime } from "../read-value.ts"
import { askUnder, remoteOptions } from "../remote.ts"
import { pathOfNamed, remoteActions, type RemoteAction } from "../remote-actions.ts"

const letter = z.looseObject({
  id: z.string(),
  kind: z.string(),
  /** A hub from before this has none. */
  consumer: z.string().nullish(),
  eventId: z.string(),
  attempts: z.number(),
  errorCode: z.string(),
  error: z.string(),
  status: z.string(),
  createdAt: z.string(),
})

const pageSize = 500
const ask = askUnder("/api/v1/dead-letters")
const pathOf = (context: CommandContext): string => pathOfNamed(context, "dead letter, by its id")

const actions: Readonly<Record<string, RemoteAction>> = {
  list: {
    usage: "[--consumer NAME] [--kind KIND] [--status open|retried|discarded] [--limit N]",
    async run(context) {
      const { options, json, out } = context
      const page = z.looseObject({ deadLetters: z.array(letter), nextCursor: z.string().nullable() })
      let left = readNumber(options, "limit") ?? Infinity
      const query = new URLSearchParams()
      for (const name of ["consumer", "kind", "status"]) {
        const value = textOption(options, name)
        if (value !== undefined) query.set(name, value)
      }
      for (let cursor: string | null = ""; cursor !== null && left > 0;) {
        query.set("limit", String(Math.min(pageSize, left)))
        if (cursor !== "") query.set("cursor", cursor)
        const { deadLetters, nextCursor } = await ask(context, page, "GET", `?${query.toString()}`)
        for (const one of deadLetters) out(json ? JSON.stringify(one) : inWords(one))
        left -= deadLetters.length
        cursor = nextCursor
      }
      return 0
    },
  },
  show: {
    usage: "ID",
    async run(context) {
      const one = await ask(context, letter, "GET", pathOf(context))
      context.out(context.json ? JSON.stringify(one) : `${inWords(one)}\n${one.error}`)
      return 0
    },
  },
  retry: {
    usage: "(ID | --consumer NAME [--since 1d] [--until TIME])",
    async run(context) {
      const { positionals, options, json, out } = context
      const consumer = textOption(options, "consumer")
      if (consumer === undefined) return settle(context, "retry", "will be tried again")
      if (positionals.length > 1) {
        throw new SignalboxError("bad_request", "say an id, or --consumer for all of a consumer")
      }
      const now = new Date()
      const answer = await ask(context, z.looseObject({ retried: z.number() }), "POST", "/retry", {
        consumer,
        since: readTime(options, "since", now)?.toISOString(),
        until: readTime(options, "until", now)?.toISOString(),
      })
      out(json ? JSON.stringify(answer) : `${answer.retried} will be tried again`)
      return 0
    },
  },
  discard: { usage: "ID", run: (context) => settle(context, "discard", "discarded") },
}

async function settle(context: CommandContext, action: string, words: string): Promise<number> {
  const answer = await ask(context, z.looseObject({}), "POST", `${pathOf(context)}/${action}`)
  context.out(context.json ? JSON.stringify(answer) : words)
  return 0
}

function inWords(one: z.infer<typeof letter>): string {
  const { id, kind, consumer, status, attempts, createdAt, eventId, error } = one
  const whose = consumer ? `${kind} ${consumer}` : kind
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`
  return `${id}  ${status}  ${whose}  ${createdAt.slice(0, 19)}Z  event ${eventId}, ${tries}: ${oneLine(error, 80)}`
}

const text = { type: "string" } as const

/** `signalbox dead-letters`: work of a running hub that used up its attempts. */
export const deadLettersCommand: Command = {
  name: "dead-letters",
  summary: "List, show, retry and discard work that used up its attempts",
  ...remoteActions("dead-letters", actions),
  options: {
    ...remoteOptions,
    consumer: text,
    kind: text,
    status: text,
    limit: text,
    since: text,
    until: text,
  },
}

import { z } from "zod"
import { SignalboxError } from "../../core/errors.ts"
import { unheardInWords } from "../../live/status.ts"
import { asOfOption, asOfQuery } from "../as-of.ts"
import type { Command, CommandContext } from "../command.ts"
import { entityUsage, keyOf } from "../entity.ts"
import { oneLine } from "../one-line.ts"
import { readNumber } from "../read-value.ts"
import { remoteOptions, remoteUsage, requestHub } from "../remote.ts"

const pageSize = 500

const page = z.object({
  events: z.array(
    z.looseObject({
      platform: z.string(),
      type: z.string(),
      entity: z.string().nullable(),
      title: z.string().nullable(),
      actor: z.object({ name: z.string() }).nullable(),
      occurredAt: z.string().nullable(),
      receivedAt: z.string(),
    }),
  ),
  nextCursor: z.string().nullable(),
  truncated: z.boolean(),
  firstHeardAt: z.coerce.date().optional(),
})
type Page = z.infer<typeof page>

/** `signalbox timeline`: asks a running hub what happened with something, in the order in which it happened. */
export const timelineCommand: Command = {
  name: "timeline",
  summary: "Print what happened with an issue, a pull request or anything else, one line an event",
  usage: `${entityUsage} [--limit N] [--as-of TIME] ${remoteUsage}`,
  options: { ...remoteOptions, ...asOfOption, limit: { type: "string" } },
  async run(context) {
    const { positionals, options, json, out } = context
    const name = positionals[0]
    if (name === undefined) throw new SignalboxError("bad_request", "name a thing: timeline ENG-123")
    const limit = readNumber(options, "limit") ?? Infinity
    if (limit === 0) throw new SignalboxError("bad_request", "--limit takes a number above 0")
    const query = asOfQuery(options)
    const key = await keyOf(context, name)
    let printed = 0
    let truncated = false
    let firstHeardAt: Date | undefined
    let cursor: string | null = null
    do {
      query.set("limit", String(Math.min(pageSize, limit - printed)))
      if (cursor !== null) query.set("cursor", cursor)
      const found = await readPage(context, key, query)
      for (const event of found.events) out(json ? JSON.stringify(event) : lineOf(event))
      printed += found.events.length
      truncated ||= found.truncated
      firstHeardAt = found.firstHeardAt
      cursor = found.nextCursor
    } while (cursor !== null && printed < limit)
    if (json) return 0
    if (printed === 0) out(nothingIn(query.get("asOf"), firstHeardAt))
    if (cursor !== null) out("and more: a greater --limit, or none, prints it")
    if (truncated) out("more is linked to it than is followed")
    return 0
  },
}

async function readPage(context: CommandContext, key: string, query: URLSearchParams): Promise<Page> {
  query.set("payload", "false")
  const path = `/api/v1/entities/${encodeURIComponent(key)}/timeline?${query.toString()}`
  const response = await requestHub(context, path)
  const { data } = page.safeParse(await response.json().catch(() => null))
  if (data !== undefined) return data
  const { origin } = new URL(response.url)
  throw new SignalboxError(
    "unavailable",
    `what answers at ${origin} is no signalbox: name the hub with --url`,
  )
}

/** Why there is nothing to tell. */
function nothingIn(asOf: string | null, firstHeardAt: Date | undefined): string {
  const why = "only mentions and links: explain tells of those"
  if (asOf === null) return `no event on it is known, ${why}`
  if (firstHeardAt === undefined) return `no event on it was known then, ${why}`
  return unheardInWords(new Date(asOf), firstHeardAt)
}

function lineOf(event: Page["events"][number]): string {
  const { platform, type, title, entity, actor } = event
  const time = `${(event.occurredAt ?? event.receivedAt).slice(0, 19)}Z`
  const about = oneLine(title ?? entity ?? "", 80)
  const by = actor === null ? "" : `  by ${oneLine(actor.name, 40)}`
  return `${time}  ${platform.padEnd(10)}  ${type.padEnd(38)}  ${about}${by}`
}

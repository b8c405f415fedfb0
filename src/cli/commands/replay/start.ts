import { SignalboxError } from "../../../core/errors.ts"
import { listOption, textOption, type CommandContext } from "../../command.ts"
import { keyOf } from "../../entity.ts"
import { readFilter, readNumber, readTime } from "../../read-value.ts"
import { ask, estimate, replay } from "./request.ts"
import { follow, gapInWords, inWords } from "./show.ts"

/** `signalbox replay start`: makes a replay, or with `--dry-run` counts what it would be. */
export async function startReplay(context: CommandContext): Promise<number> {
  const { options, json, out } = context
  const body = await readRequest(context)
  if (options["dry-run"] === true) {
    const counted = await ask(context, estimate, "POST", "", { ...body, dryRun: true })
    out(json ? JSON.stringify(counted) : [countInWords(counted), ...gapInWords(counted)].join("\n"))
    return 0
  }
  const made = await ask(context, replay, "POST", "", body)
  if (options["follow"] === true) {
    if (!json) for (const line of [made.id, ...gapInWords(made)]) out(line)
    return follow(context, made)
  }
  out(json ? JSON.stringify(made) : inWords(made))
  return 0
}

async function readRequest(context: CommandContext): Promise<object> {
  const { positionals, options } = context
  const [, to] = positionals
  if (to === undefined) {
    throw new SignalboxError("bad_request", "name a subscription, a handler or a group: replay start NAME")
  }
  const now = new Date()
  const entity = textOption(options, "entity")
  const deliveries = listOption(options, "only")
  return {
    to,
    filter: filterOf(options),
    since: readTime(options, "since", now)?.toISOString(),
    until: readTime(options, "until", now)?.toISOString(),
    after: readNumber(options, "after"),
    upTo: readNumber(options, "up-to"),
    entity: entity === undefined ? undefined : await keyOf(context, entity),
    correlationId: textOption(options, "correlation"),
    deliveries: deliveries.length === 0 ? undefined : deliveries,
    ratePerSecond: readRate(options),
    maxOutstanding: readNumber(options, "max-outstanding"),
  }
}

function filterOf(options: CommandContext["options"]): object {
  const types = listOption(options, "type")
  const filter = readFilter({ filter: "{}", ...options })
  if (typeof filter !== "object" || filter === null) {
    throw new SignalboxError("bad_request", "--filter takes a JSON object")
  }
  if (types.length > 0 && "types" in filter) {
    throw new SignalboxError("bad_request", "say the types by --type or in --filter, not in both")
  }
  return types.length === 0 ? filter : { ...filter, types }
}

function readRate(options: CommandContext["options"]): number | undefined {
  const text = textOption(options, "rate")
  if (text === undefined) return undefined
  if (/^\d{1,6}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text)
  throw new SignalboxError("bad_request", "--rate takes events a second, above 0")
}

function countInWords({
  events,
  exact,
  consumer,
}: {
  events: number | null
  exact: boolean
  consumer: { name: string }
}): string {
  if (events === null) return `too many to count in time would go to ${consumer.name}`
  return `${exact ? "" : "at most "}${events} events would go to ${consumer.name}`
}

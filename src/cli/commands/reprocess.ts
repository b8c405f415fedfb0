import { loadConfig } from "../../config.ts"
import { canonicalEntityKey } from "../../core/entity-key.ts"
import { platformNames } from "../../core/envelope.ts"
import { SignalboxError } from "../../core/errors.ts"
import { createCorrelation } from "../../correlation/correlation.ts"
import { replaceRules } from "../../correlation/replace-rules.ts"
import { builtInRules } from "../../correlation/rules/index.ts"
import { platforms } from "../../platforms/index.ts"
import { reprocessLog, type ReprocessedLog, type ReprocessProgress } from "../../processing/reprocess-log.ts"
import { textOption, type Command, type CommandContext, type OptionValues } from "../command.ts"
import { withSchema } from "../database.ts"
import { createProgress } from "../progress.ts"
import { readNumber, readTime } from "../read-value.ts"
import { loadRules } from "./correlation/load-rules.ts"

const text = { type: "string" } as const
const lineEveryMs = 5_000

/**
 * `signalbox reprocess`: derives events of the past anew, beside whatever runs. Ends with 1 where events
 * could not be derived, with 130 where it was interrupted. With `--json` it prints how far it has come every
 * five seconds, and at the end what it has done.
 */
export const reprocessCommand: Command = {
  name: "reprocess",
  summary: "Derive stored events anew, with the platforms and rules of this version",
  usage:
    "[--since 30d] [--until 1d] [--platform NAME] [--entity KEY] [--tenant T] [--after POSITION] [--rule FILE]… [--without NAME]… [--json]",
  options: {
    since: text,
    until: text,
    platform: text,
    entity: text,
    tenant: text,
    after: text,
    rule: { ...text, multiple: true },
    without: { ...text, multiple: true },
  },
  async run(context) {
    const { options, env, signal } = context
    const selection = readSelection(options)
    const after = readNumber(options, "after") ?? 0
    const without = new Set(listOption(options, "without"))
    const definitions = await Promise.all(listOption(options, "rule").map(loadRules))
    const rules = replaceRules(builtInRules, definitions.flat(), without)
    const progress = createProgress("events")
    let result: ReprocessedLog
    try {
      result = await withSchema(loadConfig(env, platforms), (databaseUrl) =>
        reprocessLog({
          databaseUrl,
          platforms,
          correlate: createCorrelation({ platforms, rules }).correlate,
          rules: new Set([...rules.map(({ name }) => name), ...without]),
          selection,
          after,
          signal,
          onProgress: follow(context, progress.show.bind(progress)),
        }),
      )
    } finally {
      progress.end()
    }
    report(context, result)
    if (!result.complete) return 130
    return result.failed > 0 ? 1 : 0
  },
}

function readSelection(options: OptionValues) {
  const now = new Date()
  const platform = textOption(options, "platform")
  const key = textOption(options, "entity")
  const entity = key === undefined ? undefined : canonicalEntityKey(key)
  if (platform !== undefined && !platformNames.some((name) => name === platform)) {
    throw new SignalboxError("bad_request", `--platform takes one of ${platformNames.join(", ")}`)
  }
  if (entity === null) {
    throw new SignalboxError("bad_request", "--entity takes a key such as linear:issue:ENG-123")
  }
  const since = readTime(options, "since", now)
  const until = readTime(options, "until", now)
  const tenant = textOption(options, "tenant")
  const about = entity === undefined ? undefined : { tenant: tenant ?? "default", entity }
  return { platform, about, tenant, since, until }
}

/** Every value of an option that may be given several times. */
function listOption(options: OptionValues, name: string): string[] {
  return [options[name] ?? []].flat().filter((value) => typeof value === "string")
}

function follow(
  { json, out }: CommandContext,
  show: (done: number, of: number) => void,
): (progress: ReprocessProgress) => void {
  let toldAt = Date.now()
  return (progress) => {
    show(progress.events, progress.of)
    if (!json || Date.now() - toldAt < lineEveryMs) return
    toldAt = Date.now()
    out(JSON.stringify(progress))
  }
}

function report({ json, out }: CommandContext, result: ReprocessedLog): void {
  const { events, mended, failed, position, complete } = result
  const failures = result.failures.map(({ event, code, error }) => ({ eventId: event.id, code, error }))
  if (json) {
    out(JSON.stringify({ ...result, failures }))
    return
  }
  for (const { eventId, error } of failures) out(`${eventId}  ${error}`)
  if (failed > failures.length) out(`and ${failed - failures.length} more that cannot be derived`)
  out(`${mended} of ${events} events derived anew`)
  if (!complete) out(`interrupted: go on with --after ${position}`)
}

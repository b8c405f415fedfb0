import { loadConfig } from "../../config.ts"
import type { EntityName } from "../../core/entity-name.ts"
import { platformNames } from "../../core/envelope.ts"
import { SignalboxError } from "../../core/errors.ts"
import { createCorrelation } from "../../correlation/correlation.ts"
import { replaceRules } from "../../correlation/replace-rules.ts"
import { builtInRules } from "../../correlation/rules/index.ts"
import { platforms } from "../../platforms/index.ts"
import { reprocessLog, type ReprocessedLog, type ReprocessProgress } from "../../processing/reprocess-log.ts"
import { openDatabase, readAs } from "../../store/database.ts"
import { findEntity } from "../../store/find-entity.ts"
import { listOption, textOption, type Command, type CommandContext, type OptionValues } from "../command.ts"
import { withSchema } from "../database.ts"
import { readName } from "../entity.ts"
import { createProgress } from "../progress.ts"
import { rulesOf } from "../rule-files.ts"
import { commandLimits } from "../rule-limits.ts"
import { recordingRules } from "../rules-in-force.ts"
import { readNumber, readTime } from "../read-value.ts"

const text = { type: "string" } as const
const lineEveryMs = 5_000

/**
 * `signalbox reprocess`: derives events of the past anew, beside whatever runs. Ends with 1 where events
 * could not be derived or a rule threw, with 130 where it was interrupted. With `--json` it prints how far it has come every
 * five seconds, and at the end what it has done.
 */
export const reprocessCommand: Command = {
  name: "reprocess",
  summary: "Derive stored events anew, with the platforms and rules of this version",
  usage:
    "[--since 30d] [--until 1d] [--platform NAME] [--entity ENG-123] [--tenant T] [--after POSITION] [--rule FILE]… [--without NAME]… [--json]",
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
  outlivesReader: true,
  async run(context) {
    const { options, env, signal } = context
    const { entity, ...selection } = readSelection(options)
    const after = readNumber(options, "after") ?? 0
    const without = new Set(listOption(options, "without"))
    refuseBuiltIn(without)
    const definitions = await rulesOf(context)
    const rules = replaceRules(builtInRules, definitions, without, commandLimits)
    const progress = createProgress("events")
    let result: ReprocessedLog
    try {
      result = await withSchema(loadConfig(env, platforms), (databaseUrl) =>
        recordingRules(databaseUrl, { rules, without, whole: isWhole(options) }, async () =>
          reprocessLog({
            databaseUrl,
            platforms,
            correlate: createCorrelation({ platforms, rules }).correlate,
            rules: new Set([...rules.map(({ name }) => name), ...without]),
            selection: { ...selection, about: await aboutWhat(databaseUrl, entity, selection.tenant) },
            after,
            signal,
            onProgress: follow(context, progress.show.bind(progress)),
          }),
        ),
      )
    } finally {
      progress.end()
    }
    report(context, result, definitions)
    if (!result.complete) return 130
    if (!context.json) for (const line of hubAdvice(definitions, without)) context.out(line)
    return result.failed > 0 || result.faults.length > 0 ? 1 : 0
  },
}

/** Whatever a rule that every hub has is to lose, the next events would bring again. */
function refuseBuiltIn(without: ReadonlySet<string>): void {
  const builtIn = builtInRules.find(({ name }) => without.has(name))
  if (builtIn === undefined) return
  throw new SignalboxError(
    "bad_request",
    `${builtIn.name} is a built-in rule, whose links every hub makes again: to have none, give a rule of that name that finds nothing by --rule, here and to the hub`,
  )
}

function readSelection(options: OptionValues) {
  const now = new Date()
  const platform = textOption(options, "platform")
  const name = textOption(options, "entity")
  if (platform !== undefined && !platformNames.some((one) => one === platform)) {
    throw new SignalboxError("bad_request", `--platform takes one of ${platformNames.join(", ")}`)
  }
  const since = readTime(options, "since", now)
  const until = readTime(options, "until", now)
  const tenant = textOption(options, "tenant")
  const entity = name === undefined ? undefined : readName(name)
  return { platform, entity, tenant, since, until }
}

/** The thing whose events are meant, where one is named. */
async function aboutWhat(url: string, name: EntityName | undefined, tenant = "default") {
  if (name === undefined) return undefined
  const database = openDatabase({ url, maxWork: 1, maxRead: 1 })
  try {
    return { tenant, entity: await readAs(database, tenant, (db) => findEntity(db, tenant, name)) }
  } finally {
    await database.close()
  }
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

/** Whether nothing that is stored is left out; a run that goes on from a position completes an earlier one. */
function isWhole(options: OptionValues): boolean {
  return ["since", "until", "platform", "entity", "tenant"].every((name) => options[name] === undefined)
}

/** What a hub runs with is known to its process alone, and whoever is told nothing takes it to be these rules. */
function* hubAdvice(
  rules: readonly { name: string; version: number }[],
  without: ReadonlySet<string>,
): Generator<string> {
  if (rules.length === 0 && without.size === 0) return
  yield "a hub that is running goes on with the rules it was started with, which cannot be seen from here; it lists them as it starts"
  if (rules.length > 0) {
    const names = rules.map(({ name, version }) => `${name} (version ${version})`).join(", ")
    yield `for new events to get links of ${names}, start it with the same files: serve --rule FILE, or SIGNALBOX_RULES`
  }
  if (without.size > 0) {
    yield `for new events to get no links of ${[...without].join(", ")}, start it without the file`
  }
}

function report(
  { json, out }: CommandContext,
  result: ReprocessedLog,
  rules: readonly { name: string; version: number }[],
): void {
  const { events, mended, failed, faults, position, complete } = result
  const failures = result.failures.map(({ event, code, error }) => ({ eventId: event.id, code, error }))
  if (json) {
    out(JSON.stringify({ ...result, failures, rules: rules.map(({ name, version }) => ({ name, version })) }))
    return
  }
  for (const { rule, events: count, eventId, message } of faults) {
    const of = count === 1 ? "1 event" : `${count} events`
    out(
      `rule ${rule} failed on ${of}, first on ${eventId}: ${message}; the links that it had made of them stay`,
    )
  }
  for (const { eventId, error } of failures) out(`${eventId}  ${error}`)
  if (failed > failures.length) out(`and ${failed - failures.length} more that cannot be derived`)
  out(`${mended} of ${events} events derived anew`)
  if (!complete) out(`interrupted: go on with --after ${position}`)
}

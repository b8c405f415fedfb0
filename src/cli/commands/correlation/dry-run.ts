import { loadConfig } from "../../../config.ts"
import { SignalboxError } from "../../../core/errors.ts"
import { createCorrelation } from "../../../correlation/correlation.ts"
import { selectorsOf } from "../../../correlation/define-rule.ts"
import { loadRules } from "../../../correlation/load-rules.ts"
import { replaceRules } from "../../../correlation/replace-rules.ts"
import { builtInRules } from "../../../correlation/rules/index.ts"
import { platforms } from "../../../platforms/index.ts"
import { dryRun, type DryRun } from "../../../processing/dry-run.ts"
import { openDatabase, readAs } from "../../../store/database.ts"
import { historyBounds, type LogWindow } from "../../../store/dry-run.ts"
import { listOption, textOption, type CommandContext, type OptionValues } from "../../command.ts"
import { withSchema } from "../../database.ts"
import { createProgress } from "../../progress.ts"
import { readNumber, readTime } from "../../read-value.ts"
import { commandLimits } from "../../rule-limits.ts"
import { expectRuleNames } from "../../rule-names.ts"
import { expectTypes } from "./expect-types.ts"
import { report } from "./report.ts"

const text = { type: "string" } as const

export const dryRunOptions = {
  rule: { ...text, multiple: true },
  without: { ...text, multiple: true },
  since: text,
  until: text,
  after: text,
  limit: text,
  tenant: text,
} as const

export const dryRunUsage =
  "dry-run --rule FILE… | --without NAME… [--since 30d] [--until 1d] [--after POSITION] [--limit 100] [--tenant T]"

/**
 * `correlation dry-run`: the links that a rule would add and remove over the events of a window. Ends with 1
 * where a rule threw, with 130 where it was interrupted; what is known by then is printed all the same.
 */
export async function dryRunAction(context: CommandContext): Promise<number> {
  const { options, env, signal } = context
  const files = listOption(options, "rule")
  const without = listOption(options, "without")
  if (options["url"] !== undefined) {
    throw new SignalboxError(
      "bad_request",
      "dry-run reads the database: set DATABASE_URL, and leave --url out",
    )
  }
  if (files.length === 0 && without.length === 0) {
    throw new SignalboxError("bad_request", `say which rule is tried: correlation ${dryRunUsage}`)
  }
  const definitions = await loadRules(files)
  const names = new Set([...definitions.map(({ name }) => name), ...without])
  const rules = replaceRules(builtInRules, definitions, new Set(without), commandLimits)
  const builtIn = new Set(builtInRules.map(({ name }) => name))
  const selectors = definitions.flatMap((definition) =>
    selectorsOf(definition).map((selector) => ({ rule: definition.name, ...selector })),
  )
  const tenant = textOption(options, "tenant") ?? "default"
  const window = readWindow(options, new Date())
  const limit = readNumber(options, "limit") ?? 100
  const result = await withSchema(loadConfig(env, platforms), async (url) => {
    const database = openDatabase({ url, maxWork: 1, maxRead: 1, longestMs: Infinity })
    const progress = createProgress("events")
    try {
      await expectRuleNames(database.work, without)
      await readAs(database, tenant, (db) => expectTypes(db, tenant, selectors))
      const found = await dryRun({
        database,
        tenant,
        platforms,
        before: createCorrelation({ platforms }).correlate,
        after: createCorrelation({ platforms, rules }).correlate,
        rules: names,
        stored: [...names].filter((name) => !builtIn.has(name)),
        selectors,
        window,
        signal,
        onProgress: ({ events, of }) => progress.show(events, of),
      })
      if (!found.complete || found.events > 0) return found
      const history = await readAs(database, tenant, (db) => historyBounds(db, tenant))
      return { ...found, nothingIn: { tenant, history } }
    } finally {
      progress.end()
      await database.close()
    }
  })
  report(context, result, limit)
  return statusOf(result)
}

function statusOf({ complete, faults }: DryRun): number {
  if (!complete) return 130
  return faults.length > 0 ? 1 : 0
}

function readWindow(options: OptionValues, now: Date): LogWindow {
  const since = readTime({ since: "30d", ...options }, "since", now) ?? now
  const end = readTime(options, "until", now)
  if (end !== undefined && end <= since) {
    throw new SignalboxError("bad_request", "--until must be later than --since")
  }
  return { since, ...(end === undefined ? {} : { until: end }), after: readNumber(options, "after") ?? 0 }
}

import { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import type { ShownRule } from "../../../core/shown-rule.ts"
import { replaceRules } from "../../../correlation/replace-rules.ts"
import { builtInRules } from "../../../correlation/rules/index.ts"
import { showRule } from "../../../correlation/show-rule.ts"
import { listOption, type CommandContext } from "../../command.ts"
import { askUnder } from "../../remote.ts"
import { rulesOf } from "../../rule-files.ts"
import { formatTable } from "../../table.ts"

export const rulesUsage = "rules [--rule FILE]… | --url http://localhost:3000 [--key KEY]"

const ask = askUnder("/api/v1/links")
const shownRule: z.ZodType<ShownRule> = z.object({
  name: z.string(),
  version: z.number(),
  builtIn: z.boolean(),
  relation: z.string().nullable(),
  strength: z.enum(["strong", "weak"]).nullable(),
  weakWhere: z.string().nullable(),
  reads: z.string().nullable(),
})

/**
 * `correlation rules`: the built-in rules and those of the files that `--rule` and SIGNALBOX_RULES name, in the
 * order in which they run; with `--url`, those that the hub there runs.
 */
export async function rulesAction(context: CommandContext): Promise<number> {
  const { json, out } = context
  const shown = await (context.options["url"] === undefined ? rulesHere(context) : rulesThere(context))
  if (json) {
    for (const rule of shown) out(JSON.stringify(rule))
    return 0
  }
  const columns = formatTable(
    ["name", "version", "relation", "strength"],
    shown.map((rule) => ({ ...rule })),
  ).split("\n")
  const reads = ["reads", "-----", ...shown.map(readsOf)]
  const width = Math.max(...columns.map((line) => line.length))
  for (const [index, line] of columns.entries()) out(`${line.padEnd(width)}  ${reads[index] ?? ""}`)
  return 0
}

async function rulesHere(context: CommandContext): Promise<readonly ShownRule[]> {
  return replaceRules(builtInRules, await rulesOf(context), new Set()).map(showRule)
}

async function rulesThere(context: CommandContext): Promise<readonly ShownRule[]> {
  if (listOption(context.options, "rule").length > 0) {
    throw new SignalboxError(
      "bad_request",
      "say either --rule, or --url: a hub runs what it was started with",
    )
  }
  const { rules } = await ask(context, z.object({ rules: z.array(shownRule) }), "GET", "/rules")
  return rules
}

function readsOf({ reads, weakWhere }: { reads: string | null; weakWhere: string | null }): string {
  if (reads === null) return "a rule of your own"
  return weakWhere === null ? reads : `${reads} (weak ${weakWhere})`
}

import { replaceRules } from "../../../correlation/replace-rules.ts"
import { builtInRules } from "../../../correlation/rules/index.ts"
import type { CommandContext } from "../../command.ts"
import { rulesOf } from "../../rule-files.ts"
import { formatTable } from "../../table.ts"

export const rulesUsage = "rules [--rule FILE]…"

/**
 * `correlation rules`: the built-in rules and those of the files that `--rule` and SIGNALBOX_RULES name, in the
 * order in which they run.
 */
export async function rulesAction(context: CommandContext): Promise<number> {
  const { json, out } = context
  const rules = replaceRules(builtInRules, await rulesOf(context), new Set())
  const shown = rules.map(({ name, version, about }) => ({
    name,
    version,
    builtIn: about !== null,
    relation: about?.relation ?? null,
    strength: about?.strength ?? null,
    weakWhere: about?.weakWhere ?? null,
    reads: about?.reads ?? null,
  }))
  if (json) {
    for (const rule of shown) out(JSON.stringify(rule))
    return 0
  }
  const columns = formatTable(["name", "version", "relation", "strength"], shown).split("\n")
  const reads = ["reads", "-----", ...shown.map(readsOf)]
  const width = Math.max(...columns.map((line) => line.length))
  for (const [index, line] of columns.entries()) out(`${line.padEnd(width)}  ${reads[index] ?? ""}`)
  return 0
}

function readsOf({ reads, weakWhere }: { reads: string | null; weakWhere: string | null }): string {
  if (reads === null) return "a rule of your own"
  return weakWhere === null ? reads : `${reads} (weak ${weakWhere})`
}

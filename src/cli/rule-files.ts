import { ruleFilesIn } from "../config.ts"
import { loadRules } from "../correlation/load-rules.ts"
import type { RuleDefinition } from "../correlation/rule.ts"
import { listOption, type CommandContext } from "./command.ts"

/** The files of rules that SIGNALBOX_RULES and the options `--rule` name. */
export function ruleFilesOf({ options, env }: Pick<CommandContext, "options" | "env">): string[] {
  return [...ruleFilesIn(env), ...listOption(options, "rule")]
}

/** The rules in those files; one of `--rule` goes before one of the same name in SIGNALBOX_RULES. */
export async function rulesOf({
  options,
  env,
}: Pick<CommandContext, "options" | "env">): Promise<RuleDefinition[]> {
  const given = await loadRules(listOption(options, "rule"))
  const names = new Set(given.map(({ name }) => name))
  const others = await loadRules(ruleFilesIn(env))
  return [...others.filter(({ name }) => !names.has(name)), ...given]
}

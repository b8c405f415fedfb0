import { defineRule, type RuleLimits } from "./define-rule.ts"
import type { Rule, RuleDefinition } from "./rule.ts"

/**
 * The rules with these definitions among them: one of a name that is there takes its place, others come last.
 * Those named in `without` are left out. `limits` hold for the definitions. Throws `configuration` with what is wrong with a definition.
 */
export function replaceRules(
  rules: readonly Rule[],
  definitions: readonly RuleDefinition[],
  without: ReadonlySet<string>,
  limits: RuleLimits = {},
): Rule[] {
  const defined = new Map<string, Rule>()
  for (const definition of definitions) {
    const rule = defineRule(definition, new Set(defined.keys()), limits)
    defined.set(rule.name, rule)
  }
  const names = new Set(rules.map(({ name }) => name))
  return [
    ...rules.map((rule) => defined.get(rule.name) ?? rule),
    ...[...defined.values()].filter(({ name }) => !names.has(name)),
  ].filter(({ name }) => !without.has(name))
}

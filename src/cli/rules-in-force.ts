import { builtInRules } from "../correlation/rules/index.ts"
import type { Rule } from "../correlation/rule.ts"
import { recordDerivation, recordRules } from "../store/correlation-rules.ts"
import { openDatabase } from "../store/database.ts"
import { expectRuleNames } from "./rule-names.ts"

/** The rules by which the past is derived anew, and the names of those whose links go. */
export interface RulesInForce {
  rules: readonly Rule[]
  without: ReadonlySet<string>
  /** Whether all of the past is, so that nothing stays of what other rules made of it. */
  whole: boolean
}

/**
 * Runs `body`, which derives the past anew by these rules, and records the user's own among them: a hub that is
 * started without one tells by that. Throws `bad_request` before it runs where `without` names no rule.
 */
export async function recordingRules<T extends { complete: boolean; faults: readonly { rule: string }[] }>(
  url: string,
  { rules, without, whole }: RulesInForce,
  body: () => Promise<T>,
): Promise<T> {
  const database = openDatabase({ url, maxWork: 1, maxRead: 1 })
  const own = rules.filter((rule) => !builtInRules.includes(rule))
  try {
    await expectRuleNames(database.work, [...without])
    await recordRules(database.work, own)
    const result = await body()
    if (whole && result.complete) {
      const failed = new Set(result.faults.map(({ rule }) => rule)) // some of their links are as they were
      const derived = own.filter(({ name }) => !failed.has(name))
      await recordDerivation(database.work, derived, [...without])
    }
    return result
  } finally {
    await database.close()
  }
}

import { SignalboxError } from "../core/errors.ts"
import { builtInRules } from "../correlation/rules/index.ts"
import { recordedRules, rulesWithLinks } from "../store/correlation-rules.ts"
import type { Db } from "../store/database.ts"

/**
 * Throws `bad_request`, with the names there are, where one of `names` is of no built-in rule, of none that was
 * ever in force here, and of none that has made a link: a mistyped name would take nothing away.
 */
export async function expectRuleNames(db: Db, names: readonly string[]): Promise<void> {
  const builtIn = builtInRules.map(({ name }) => name)
  const recorded = (await recordedRules(db)).map(({ name }) => name)
  const known = new Set([...builtIn, ...recorded])
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length === 0) return
  const stored = new Set(await rulesWithLinks(db, unknown))
  const absent = unknown.find((name) => !stored.has(name))
  if (absent === undefined) return
  throw new SignalboxError(
    "bad_request",
    `there is no rule ${absent}: --without takes one of ${[...known].toSorted().join(", ")}`,
  )
}

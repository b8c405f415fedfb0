import { platformNames } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import { compilePattern } from "../core/pattern.ts"
import type { Rule, RuleDefinition, RuleEvent } from "./rule.ts"

const nameForm = /^[a-z][a-z0-9_.-]{0,63}$/
const segment = "(?:\\*\\*|[a-z0-9_*]+)"
const patternForm = new RegExp(`^${segment}(?:\\.${segment})*$`)

/**
 * Turns a user's definition into a rule. Throws `configuration` with what is wrong with it; a name is
 * taken once and for all, since links tell by it which rule made them.
 */
export function defineRule(definition: RuleDefinition, taken: ReadonlySet<string>): Rule {
  const { name, version } = definition
  if (typeof name !== "string" || !nameForm.test(name)) {
    throw refused(name, "its name must be 1 to 64 lower-case letters, digits, dots, dashes or underscores")
  }
  if (taken.has(name)) throw refused(name, "a rule of this name exists already")
  if (!Number.isInteger(version) || version < 1 || version > 2_147_483_647) {
    throw refused(name, "its version must be a whole number from 1 up")
  }
  if (typeof definition.find !== "function") throw refused(name, "its find must be a function")
  const reads = compileSelector(name, definition.on)
  return {
    name,
    version,
    find: ({ event, normalized, references }) =>
      reads(event, normalized.type) ? definition.find(event, normalized, references) : [],
  }
}

function compileSelector(
  name: string,
  on: RuleDefinition["on"],
): (event: RuleEvent, type: string) => boolean {
  if (on === undefined) return () => true
  const entries: readonly unknown[] = typeof on === "string" ? [on] : on
  if (!Array.isArray(entries) || entries.length === 0) {
    throw refused(name, "its on must name a platform or a type pattern, or several")
  }
  const selectors = entries.map((entry) => {
    if (typeof entry !== "string" || !patternForm.test(entry)) {
      throw refused(name, `${JSON.stringify(entry)} is neither a platform nor a type pattern`)
    }
    const platform = platformNames.find((known) => entry === known || entry === `${known}.*`)
    // A custom event's type is its sender's own and does not begin with `custom`.
    if (platform !== undefined) return (event: RuleEvent) => event.platform === platform
    const matches = compilePattern(entry)
    return (_: RuleEvent, type: string) => matches(type)
  })
  return (event, type) => selectors.some((selects) => selects(event, type))
}

function refused(name: unknown, reason: string): SignalboxError {
  return new SignalboxError("configuration", `correlation rule ${JSON.stringify(name)}: ${reason}`)
}

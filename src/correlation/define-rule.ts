import { platformNames } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import { misspelt, nearestName } from "../core/nearest-name.ts"
import { compilePattern } from "../core/pattern.ts"
import { readOnlyInput } from "./read-only-input.ts"
import { createTimeLimit, type TimeLimit } from "./time-limit.ts"
import type { Rule, RuleDefinition, RuleEvent } from "./rule.ts"

const members: ReadonlySet<string> = new Set(["name", "version", "on", "find"])
const nameForm = /^[a-z][a-z0-9_.-]{0,63}$/
const segment = "(?:\\*\\*|[a-z0-9_*]+)"
const patternForm = new RegExp(`^${segment}(?:\\.${segment})*$`)

/** How rules of the user's own are run. */
export interface RuleLimits {
  /**
   * Milliseconds that a rule may take for an event, before it fails there; without end where absent. Watching
   * costs about as much as deriving the event.
   */
  maxMs?: number
}

/**
 * Turns a user's definition into a rule. Throws `configuration` with what is wrong with it; a name is
 * taken once and for all, since links tell by it which rule made them.
 */
export function defineRule(
  definition: RuleDefinition,
  taken: ReadonlySet<string>,
  { maxMs }: RuleLimits = {},
): Rule {
  const { name, version } = definition
  // Whatever else it has may be its find's own, but with `On` for `on` it would read every event.
  const fault = misspelt(definition, ["name", "version", "on"])
  if (fault !== null) throw refused(name, fault)
  if (typeof name !== "string" || !nameForm.test(name)) {
    throw refused(name, "its name must be 1 to 64 lower-case letters, digits, dots, dashes or underscores")
  }
  if (taken.has(name)) throw refused(name, "a rule of this name exists already")
  if (!Number.isInteger(version) || version < 1 || version > 2_147_483_647) {
    throw refused(name, "its version must be a whole number from 1 up")
  }
  if (typeof definition.find !== "function") throw refused(name, withoutFind(definition))
  const selectors = selectorsOf(definition)
  const limit: TimeLimit = maxMs === undefined ? (call) => call() : createTimeLimit(maxMs)
  return {
    name,
    version,
    about: null,
    readsStated: true,
    find: (input) => {
      const { event: shown, normalized: read } = input
      if (selectors.length > 0 && !selectors.some(({ reads }) => reads(shown, read.type))) return []
      const { event, normalized, references } = readOnlyInput(input)
      return limit(() => definition.find(event, normalized, references))
    },
  }
}

/** One entry of a rule's `on`. */
export interface Selector {
  on: string
  reads(event: Pick<RuleEvent, "platform">, type: string): boolean
}

/** What a rule's `on` names, one by one; nothing where it reads every event. Throws as `defineRule` does. */
export function selectorsOf({ name, on }: Pick<RuleDefinition, "name" | "on">): Selector[] {
  if (on === undefined) return []
  const entries: readonly unknown[] = typeof on === "string" ? [on] : on
  if (!Array.isArray(entries) || entries.length === 0) {
    throw refused(name, "its on must name a platform or a type pattern, or several")
  }
  return entries.map((entry: unknown) => {
    if (typeof entry !== "string" || !patternForm.test(entry)) {
      throw refused(name, `${JSON.stringify(entry)} is neither a platform nor a type pattern`)
    }
    const platform = platformNames.find((known) => entry === known || entry === `${known}.*`)
    // A custom event's type is its sender's own and does not begin with `custom`.
    if (platform !== undefined) return { on: entry, reads: (event) => event.platform === platform }
    if (/^[a-z0-9_]+$/.test(entry)) throw refused(name, unknownPlatform(entry))
    const matches = compilePattern(entry)
    return { on: entry, reads: (_, type) => matches(type) }
  })
}

function withoutFind(definition: object): string {
  const others = Object.keys(definition).filter((key) => !members.has(key))
  const meant = nearestName("find", others)
  return `its find must be a function${meant === undefined ? "" : ` (did you mean its "${meant}" to be it?)`}`
}

/** Every type has two words or more, so that a single one can only be a platform. */
function unknownPlatform(word: string): string {
  const meant = nearestName(word, platformNames)
  const mend =
    meant === undefined
      ? `it is one of ${platformNames.join(", ")}; a type has further words, "${word}.*"`
      : `did you mean "${meant}"?`
  return `on "${word}" reads nothing, since there is no such platform: ${mend}`
}

function refused(name: unknown, reason: string): SignalboxError {
  return new SignalboxError("configuration", `correlation rule ${JSON.stringify(name)}: ${reason}`)
}

import type { Correlated } from "../core/correlate.ts"
import { canonicalEntityKey } from "../core/entity-key.ts"
import type { Link, Reference, StoredEvent } from "../core/envelope.ts"
import { silentLog, type Log } from "../core/log.ts"
import { parsePayload } from "../core/payload.ts"
import type { KnownNames, Normalized, Platform } from "../core/platform.ts"
import { linksOfRule } from "./check-links.ts"
import { defineRule } from "./define-rule.ts"
import { collectReferences, maxReferences } from "./references.ts"
import { replaceRules } from "./replace-rules.ts"
import { builtInRules } from "./rules/index.ts"
import type { Rule, RuleDefinition, RuleEvent, RuleFailure, RuleInput } from "./rule.ts"

/** What an event says of entities, and which rules failed to say theirs. */
export interface RuledEvent extends Correlated {
  /**
   * Rules that threw or answered nonsense. They made no link of this event and all else went on: the
   * event is whole without them, and a retry would end alike. `reprocess` mends it with a mended rule.
   */
  failures: RuleFailure[]
}

export interface Correlation {
  /** Adds a rule of the user's own. Throws `configuration` with what is wrong with its definition. */
  rule: (definition: RuleDefinition) => void
  /**
   * Adds rules of the user's own; one of the name of a built-in rule takes its place. Throws `configuration` with
   * what is wrong with a definition, and adds none then.
   */
  use: (definitions: readonly RuleDefinition[]) => void
  /** Those of the rules that are the user's own. */
  ownRules: () => readonly Pick<Rule, "name" | "version">[]
  /** The rules that run, in their order. */
  rules: () => readonly Pick<Rule, "name" | "version" | "about">[]
  /**
   * What one event shows, by itself: it depends on its arguments alone, so the order and the number of
   * times events arrive change nothing. `event` has its fields from `normalized` filled in; `known` are the
   * names that go before those of the options.
   */
  correlate: (event: StoredEvent, normalized: Normalized, known?: KnownNames) => RuledEvent
  /** The links that the rules make of an event where it shows these references, and no others. */
  linksOf: (event: StoredEvent, normalized: Normalized, references: readonly Reference[]) => readonly Link[]
}

export interface CorrelationOptions {
  /** Asked for what their URLs and short names mean, in this order. */
  platforms: readonly Platform[]
  /** Names by which short ones in texts are told from look-alikes. */
  known?: KnownNames
  /** What runs before the rules that are added: the built-in ones where absent. */
  rules?: readonly Rule[]
  /** Told of rules that fail, each time the number of a rule's failures doubles. */
  log?: Log
}

/** Ties events together by the built-in rules and those added to it. */
export function createCorrelation({
  platforms,
  known: always = {},
  rules: initial = builtInRules,
  log = silentLog,
}: CorrelationOptions): Correlation {
  const rules: Rule[] = [...initial]
  const report = failureReport(log)
  const names = new Set(rules.map(({ name }) => name))
  const ownRules = (): Rule[] => rules.filter((rule) => !builtInRules.includes(rule))
  return {
    rule: (definition) => {
      const rule = defineRule(definition, names)
      names.add(rule.name)
      rules.push(rule)
    },
    use: (definitions) => {
      const own = new Set(ownRules().map(({ name }) => name))
      for (const definition of definitions) defineRule(definition, own)
      rules.splice(0, rules.length, ...replaceRules(rules, definitions, new Set()))
      for (const { name } of rules) names.add(name)
    },
    ownRules,
    rules: () => rules,
    correlate: (event, normalized, known = always) => {
      const references = collectReferences(platforms, normalized, known)
      const { links, failures } = runRules(rules, event, normalized, references)
      for (const failure of failures) report(event, failure)
      return { references, links, failures }
    },
    linksOf: (event, normalized, references) => runRules(rules, event, normalized, references).links,
  }
}

function runRules(
  rules: readonly Rule[],
  event: StoredEvent,
  normalized: Normalized,
  references: readonly Reference[],
): Omit<RuledEvent, "references"> {
  const links = new Map<string, Link>()
  const pairs = new Set<string>()
  const failures: RuleFailure[] = []
  const entity = normalized.entity === null ? null : canonicalEntityKey(normalized.entity)
  const input: RuleInput = {
    event: withPayload(event),
    normalized,
    references: references.map((reference) => {
      const subject = reference.subject ?? entity
      return { ...reference, subject, document: reference.document ?? subject }
    }),
    isLinked: (one, other) => pairs.has(`${one}\n${other}`) || pairs.has(`${other}\n${one}`),
  }
  const unstated: RuleInput = {
    ...input,
    references: input.references.filter(({ stated }) => stated === undefined),
  }
  for (const rule of rules) {
    try {
      const given = rule.readsStated === true ? input : unstated
      const limit = builtInRules.includes(rule) ? maxReferences : undefined
      for (const link of linksOfRule(rule, given, limit)) {
        pairs.add(`${link.from}\n${link.to}`)
        keepBest(links, link)
      }
    } catch (error) {
      failures.push({ rule: rule.name, ruleVersion: rule.version, error })
    }
  }
  return { links: [...links.values()], failures }
}

/** A rule that fails, fails on every event: its first failure is told, then its 2nd, 4th, 8th, … */
function failureReport(log: Log): (event: StoredEvent, failure: RuleFailure) => void {
  const counts = new Map<string, number>()
  return (event, { rule, ruleVersion, error }) => {
    const failures = (counts.get(rule) ?? 0) + 1
    counts.set(rule, failures)
    if (!Number.isInteger(Math.log2(failures))) return
    log.error(
      { rule, ruleVersion, eventId: event.id, type: event.type, failures, err: error },
      `correlation rule ${rule} failed; the event goes on without its links`,
    )
  }
}

/** An event shows an edge once by each rule: by its strongest and surest sign, the first of equals. */
function keepBest(links: Map<string, Link>, link: Link): void {
  const key = `${link.from}\n${link.to}\n${link.relation}\n${link.rule}`
  const kept = links.get(key)
  if (kept === undefined || weight(link) > weight(kept)) links.set(key, link)
}

function weight({ strength, confidence }: Link): number {
  return (strength === "strong" ? 2 : 0) + confidence
}

/** The event with its body, which is parsed only for the rules that look at it. */
function withPayload(event: StoredEvent): RuleEvent {
  let payload: { value: unknown } | undefined
  return {
    ...event,
    get payload() {
      payload ??= { value: parsePayload(event.raw, event.contentType) }
      return payload.value
    },
  }
}

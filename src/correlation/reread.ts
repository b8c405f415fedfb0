import { canonicalEntityKey, entityKind } from "../core/entity-key.ts"
import type { Link, Reference, StoredEvent } from "../core/envelope.ts"
import type { Finding } from "../core/explanation.ts"
import { createNormalizer, type NormalizedEvent } from "../core/normalize-event.ts"
import type { KnownNames, Platform } from "../core/platform.ts"
import type { LinkRecord } from "../store/explain.ts"
import { adviceOn, type Advice, type ReadEvent } from "./advice.ts"
import type { Correlation, RuledEvent } from "./correlation.ts"
import { createPaces, OutOfTime, type Pace, type PaceOptions } from "./pace.ts"
import { builtInRules } from "./rules/index.ts"
import { unreadMentions, type Unread } from "./unread.ts"

/** Two things, each by all of its keys. */
export interface Pair {
  ones: readonly string[]
  others: readonly string[]
}

const reasons: Readonly<Record<Unread["kind"], string>> = {
  skip_word: "says not to link it",
  quoted: "stands in quoted text, code or a comment, or is struck out",
  lower_case: "would be taken for a name in upper case",
  joined:
    "is joined to other characters, as part of a longer word, number or path, and so is not read as a name",
  unknown_team:
    "has the key of a team that no event of Linear's has shown: once one does, it is read, in events of the past too",
  reserved_key:
    "is mostly something else than an issue, by its key or its form: once an event of Linear's shows a team of that key, it is read, in events of the past too",
  past_the_end: "stands beyond what is read of a text",
  not_recognized: "is read as something else, or as nothing",
}

/** Findings that say why a name in a text was not taken for one: they speak of that text and of no other. */
export const nameKinds: ReadonlySet<Finding["kind"]> = new Set<Unread["kind"]>([
  "skip_word",
  "quoted",
  "lower_case",
  "joined",
  "unknown_team",
  "reserved_key",
  "past_the_end",
  "not_recognized",
])

/** What a second reading has found, and the ids of the events to which it did not come in its time. */
export interface Reread {
  findings: Finding[]
  notRead: string[]
  /** What would make a strong link of the weak one; null where there is none, or where it was not tried. */
  advice: Advice | null
}

/**
 * Makes the second reading of events for what is not stored: names that no mention was made of, lists too
 * long for strong links, links that today's rules would make or would not, and rules that throw. It reads them
 * in their order, for at most a second of its own, and no further once `signal` is aborted.
 */
export function createReread(
  platforms: readonly Platform[],
  { correlate, linksOf, rules }: Pick<Correlation, "correlate" | "linksOf" | "rules">,
  options: PaceOptions = {},
): (
  events: readonly StoredEvent[],
  pair: Pair,
  stored: readonly LinkRecord[],
  known: KnownNames,
  signal?: AbortSignal,
) => Promise<Reread> {
  const normalize = createNormalizer(platforms)
  const paceOf = createPaces(options)

  return async (events, pair, stored, known, signal) => {
    const findings = new Map<string, Finding>()
    const add = (finding: Finding): void => {
      const key = [finding.kind, finding.field, finding.text, finding.detail].join("\n")
      if (!findings.has(key)) findings.set(key, finding)
    }
    const builtIn = new Set(namesOf(rules().filter((rule) => isBuiltIn(rule))))
    const byOwnRules: Link[] = stored.filter(({ rule }) => !builtIn.has(rule))
    const seen = new Set<string>() // a body comes again with every event of its pull request
    const pace = paceOf(signal)
    const read: ReadEvent[] = []
    let count = 0
    let advice: Advice | null = null
    try {
      for (const event of events) {
        await pace.read(event.raw.length)
        const anew = readAnew(event, pair, stored, known)
        if (anew !== null) {
          read.push(anew)
          byOwnRules.push(...anew.links.filter((link) => !builtIn.has(link.rule) && isBetween(link, pair)))
          for (const finding of anew.findings) add(finding)
          for await (const finding of namesUnread(anew, pair, known, seen, pace)) add(finding)
        }
        count += 1
      }
      const weak = weakOf(stored)
      if (weak !== undefined && builtIn.has(weak.rule)) {
        const keys = otherSide(pair, weak.to) ?? []
        advice = await adviceOn(weak, read, { platforms, linksOf, known, pace, keys })
      }
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error
    }
    const isNews = (finding: Finding): boolean => !byOwnRules.some((link) => isFound(finding, link))
    return {
      findings: [...[...findings.values()].filter(isNews), ...absent(stored)],
      notRead: events.slice(count).map(({ id }) => id),
      advice,
    }
  }

  /** Null where it cannot be read: what it said when it was first read stays, and is in the links. */
  function readAnew(stored: StoredEvent, pair: Pair, records: readonly LinkRecord[], known: KnownNames) {
    let read: NormalizedEvent
    try {
      read = normalize(stored)
    } catch {
      return null
    }
    const ruled = correlate(read.event, read.normalized, known)
    const before = records.filter(({ eventId }) => eventId === stored.id)
    const findings = [
      ...failed(ruled, stored),
      ...outdated(ruled, before, pair, stored),
      ...listed(read, ruled, pair, before),
    ]
    return { ...read, references: ruled.references, links: ruled.links, findings }
  }

  async function* namesUnread(
    { event, normalized }: NormalizedEvent,
    pair: Pair,
    known: KnownNames,
    seen: Set<string>,
    pace: Pace,
  ): AsyncGenerator<Finding> {
    for (const field of normalized.texts) {
      const subject = canonicalEntityKey(field.subject ?? normalized.entity ?? "")
      const targets = subject === null ? undefined : otherSide(pair, subject)
      const key = `${subject}\n${field.field}\n${field.text}`
      if (targets === undefined || seen.has(key)) continue
      seen.add(key)
      for (const unread of await unreadMentions(platforms, field, subject, targets, { known, pace })) {
        const detail = `${JSON.stringify(unread.text)} in the ${unread.field} of ${subject} ${reasons[unread.kind]}`
        yield { ...unread, detail, eventId: event.id }
      }
    }
  }

  function outdated({ links }: RuledEvent, before: readonly LinkRecord[], pair: Pair, event: StoredEvent) {
    const known = new Set(namesOf(rules()))
    const now = links.filter((link) => isBetween(link, pair))
    const added = now.filter((link) => !before.some((one) => isSame(one, link)))
    const gone = before.filter((one) => known.has(one.rule) && !now.some((link) => isSame(one, link)))
    const finding = (link: Link, what: string): Finding => {
      const detail = `today's rule ${link.rule} ${what} ${link.from} ${link.relation} ${link.to}; reprocess brings it up to date`
      return { kind: "outdated", detail, eventId: event.id, ...link.evidence }
    }
    return [
      ...added.map((link) => finding(link, `makes a ${link.strength} link that is not stored:`)),
      ...gone.map((link) => finding(link, "no longer makes the link that is stored:")),
    ]
  }

  /** Rules whose links stand, and which this process does not run. */
  function absent(stored: readonly LinkRecord[]): Finding[] {
    const known = new Set(namesOf(rules()))
    const standing = stored.filter(({ knownTo, rule }) => knownTo === null && !known.has(rule))
    return [...new Set(standing.map(({ rule }) => rule))].map((rule) => ({
      kind: "rule_absent",
      detail: `this hub does not run the rule ${rule}: its links are shown as they are stored, and new events make none; give its file to serve with --rule`,
    }))
  }

  /** Weak links that would be strong, did the event name nothing else and all else stood as it does. */
  function listed(
    { event, normalized }: NormalizedEvent,
    { references, links }: RuledEvent,
    pair: Pair,
    before: readonly LinkRecord[],
  ): Finding[] {
    const isOver = (link: Link): boolean => before.some((one) => one.endedBy !== null && isSame(one, link))
    const weak = links.filter(
      (link) =>
        link.strength === "weak" &&
        isBetween(link, pair) &&
        !isOver(link) &&
        !links.some((one) => isStrongOf(one, link)),
    )
    if (weak.length === 0) return []
    const isOfPair = ({ entity }: Reference): boolean =>
      pair.ones.includes(entity) || pair.others.includes(entity)
    const lonely = { ...normalized, references: normalized.references.filter(isOfPair) }
    const alone = linksOf(event, lonely, references.filter(isOfPair))
    return weak.flatMap((link): Finding[] => {
      const strong = alone.find((one) => isStrongOf(one, link))
      if (strong === undefined) return []
      const detail = `${countOf(link, references)}, too many for a strong link: alone, ${strong.rule} would tie ${link.from} to ${link.to}`
      return [{ kind: "listed", detail, eventId: event.id, ...link.evidence }]
    })
  }
}

/** The weak link by which the two are shown at each other; undefined where a strong one ties them. */
function weakOf(stored: readonly LinkRecord[]): LinkRecord | undefined {
  const standing = stored.filter(({ knownTo }) => knownTo === null)
  return standing.some(({ strength }) => strength === "strong") ? undefined : standing[0]
}

function isStrongOf(one: Link, { from, to }: Link): boolean {
  return one.strength === "strong" && one.from === from && one.to === to
}

/** How many things the field of a link's evidence names, and all fields where those name more of its kind. */
function countOf({ from, to, evidence }: Link, references: readonly Reference[]): string {
  const ends = new Set([from, to, undefined])
  const own = references.find(
    ({ entity, subject, evidence: shown }) =>
      ends.has(entity) &&
      ends.has(subject) &&
      shown.field === evidence.field &&
      shown.start === evidence.start,
  )
  const beside = references.filter(
    ({ subject, document }) => subject === own?.subject && document === own?.document,
  )
  const count = (counts: (reference: Reference) => boolean): number =>
    new Set(beside.filter(counts).map(({ entity }) => entity)).size
  const inField = count((reference) => reference.evidence.field === evidence.field)
  const inAll = count(({ entity }) => entityKind(entity) === entityKind(to))
  const names = `the ${evidence.field} names ${inField} ${inField === 1 ? "thing" : "things"}`
  return inAll > inField ? `${names}, all fields together ${inAll}` : names
}

function failed({ failures }: RuledEvent, event: StoredEvent): Finding[] {
  return failures.map(({ rule, error }) => ({
    kind: "rule_failed",
    detail: `rule ${rule} failed on an event of the two: ${error instanceof Error ? error.message : String(error)}`,
    eventId: event.id,
  }))
}

function namesOf(rules: readonly { name: string }[]): string[] {
  return rules.map(({ name }) => name)
}

function isBuiltIn(rule: object): boolean {
  return builtInRules.some((builtIn) => builtIn === rule)
}

/**
 * Whether a name that the platforms' readers passed over was found by a rule of the user's own, which made
 * this link. A rule need not say where it found it: then it may have been anywhere, but for words that ask not
 * to be linked.
 */
function isFound({ kind, field, start, end }: Finding, { evidence }: Link): boolean {
  if (!nameKinds.has(kind)) return false
  if (kind !== "skip_word" && kind !== "quoted") return true
  if (field !== evidence.field || start === undefined || end === undefined) return false
  return (evidence.start ?? 0) < end && (evidence.end ?? Infinity) > start
}

function otherSide({ ones, others }: Pair, entity: string): readonly string[] | undefined {
  if (ones.includes(entity)) return others
  return others.includes(entity) ? ones : undefined
}

function isBetween({ from, to }: Pick<Link, "from" | "to">, pair: Pair): boolean {
  return otherSide(pair, from)?.includes(to) === true
}

function isSame(one: Link, other: Link): boolean {
  return (
    one.from === other.from &&
    one.to === other.to &&
    one.relation === other.relation &&
    one.rule === other.rule
  )
}

import type { Explanation, ExplanationQuery, ExplainedLink, Finding, ShownBy } from "../core/explanation.ts"
import type { Link, LoggedEvent } from "../core/envelope.ts"
import type { Platform } from "../core/platform.ts"
import { evidenceOf, type Edge, type LinkEvidence } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import {
  eventsOfThing,
  firstHeardOf,
  keysOfThing,
  knownNames,
  linksBetween,
  linksShownBy,
  referencesBetween,
  revertsAt,
  withdrawnBetween,
  type EventsOfThing,
  type LinkRecord,
} from "../store/explain.ts"
import { edgeKey, reach, type Reach } from "../store/reach.ts"
import type { Correlation } from "./correlation.ts"
import type { PaceOptions } from "./pace.ts"
import { createReread, nameKinds, type Pair } from "./reread.ts"
import { nearestMiss, summarize, withAdvice } from "./verdict.ts"
import { ending, endings } from "./withdrawn.ts"

/** Says why two things are linked, or why not; reads the rows of one tenant and writes nothing. */
export type Explain = (db: Db, query: ExplanationQuery) => Promise<Explanation>

const maxEventsOfEach = 25

/** Makes the explanation for these platforms and rules: what is stored, and what they read in it today. */
export function createExplain(
  platforms: readonly Platform[],
  correlation: Pick<Correlation, "correlate" | "linksOf" | "rules">,
  options: PaceOptions = {},
): Explain {
  const reread = createReread(platforms, correlation, options)
  return async (db, { tenant, from, to, asOf, signal }) => {
    const pair = await pairOf(db, tenant, from, to, asOf)
    const { ones, others } = pair
    const records = await linksBetween(db, tenant, ones, others, asOf)
    const fromReach = await reach(db, tenant, from, { asOf })
    const toReach = await reach(db, tenant, to, { asOf })
    const way = fromReach.entities.get(to) ?? toReach.entities.get(from)?.toReversed() ?? null
    const path = way === null ? null : surest(way, await evidenceOf(db, tenant, way, asOf))
    const references = [
      ...(await referencesBetween(db, tenant, ones, others, asOf)),
      ...(await referencesBetween(db, tenant, others, ones, asOf)),
    ]
    const about = { asOf, limit: maxEventsOfEach }
    const told = [
      await eventsOfThing(db, tenant, ones, about),
      await eventsOfThing(db, tenant, others, about),
    ] as const
    const events = inTurns(told[0].events, told[1].events)
    const names = await knownNames(db, tenant)
    // Of a busy pair not all is listed: what these events show is looked up by their own ids.
    const ids = new Set([...events.map(({ id }) => id), ...references.map(({ eventId }) => eventId)])
    const stored = together(records, await linksShownBy(db, tenant, ones, others, asOf, [...ids]))
    const { findings, notRead, advice } = await reread(events, pair, stored, names, signal)
    const found = findings.map((finding) => withAdvice(finding, advice))
    const reverts = await revertsAt(db, tenant, [...ones, ...others], asOf)
    const unheard = [
      ...(await unheardOf(db, tenant, from, ones, told[0], asOf)),
      ...(await unheardOf(db, tenant, to, others, told[1], asOf)),
    ]

    const links = records.map(explained)
    const linkedBy = new Set(stored.map(({ eventId }) => eventId))
    const unlinked = references.filter(({ eventId }) => !linkedBy.has(eventId))
    const verdict = verdictOf(links, path)
    const counterEvidence = [
      ...endings(records),
      ...found.filter(({ kind }) => path === null || !isOfOneMention(kind)),
      ...reverts.filter(({ to: reverted }) => !isLink(reverted, records, path)).map(revert),
    ]
    const common = path === null ? commonGround(fromReach, toReach, pair) : null
    const withdrawn = path === null ? await withdrawnWay(db, tenant, fromReach, toReach, pair, asOf) : null
    return {
      from,
      to,
      asOf: asOf?.toISOString() ?? null,
      verdict,
      summary: summarize({ from, to, asOf: asOf?.toISOString() ?? null, verdict, links, path, unheard }),
      unheard,
      aliases: { from: ones.slice(1), to: others.slice(1) },
      timelines: { fromHoldsTo: fromReach.entities.has(to), toHoldsFrom: toReach.entities.has(from) },
      links,
      path,
      counterEvidence,
      references: unlinked,
      nearMiss:
        path === null
          ? nearestMiss(links, counterEvidence, {
              references: unlinked,
              standing: withdrawn ?? common,
              advice,
            })
          : null,
      examined: {
        events: events.length - notRead.length,
        complete: notRead.length === 0 && told.every(({ complete }) => complete),
        ...(notRead.length === 0 ? {} : { notRead }),
      },
    }
  }
}

/** Each event once, one of each thing in turn, so that where time is short, the newest of both are read. */
function inTurns(ones: readonly LoggedEvent[], others: readonly LoggedEvent[]): LoggedEvent[] {
  const events = new Map<string, LoggedEvent>()
  for (let at = 0; at < Math.max(ones.length, others.length); at++) {
    for (const event of [ones[at], others[at]]) if (event !== undefined) events.set(event.id, event)
  }
  return [...events.values()]
}

/** Each record once, in the order in which they are given. */
function together(...lists: readonly (readonly LinkRecord[])[]): LinkRecord[] {
  const records = new Map<string, LinkRecord>()
  for (const record of lists.flat()) if (!records.has(keyOf(record))) records.set(keyOf(record), record)
  return [...records.values()]
}

function keyOf({ eventId, from, to, relation, rule }: LinkRecord): string {
  return [eventId, from, to, relation, rule].join("\n")
}

/** The thing with the time at which it was first heard of, where nothing was known of it at `asOf`. */
async function unheardOf(
  db: Db,
  tenant: string,
  entity: string,
  keys: readonly string[],
  { events, complete }: EventsOfThing,
  asOf: Date | null,
): Promise<Explanation["unheard"]> {
  if (events.length > 0 || !complete) return []
  const first = await firstHeardOf(db, tenant, keys)
  if (first !== null && (asOf === null || first <= asOf)) return []
  return [{ entity, firstHeard: first?.toISOString() ?? null }]
}

/** Each thing by all of its keys; where both are one thing, each by its own key alone. */
async function pairOf(db: Db, tenant: string, from: string, to: string, asOf: Date | null): Promise<Pair> {
  const ones = await keysOfThing(db, tenant, from, asOf)
  if (ones.includes(to)) return { ones: [from], others: [to] }
  return { ones, others: await keysOfThing(db, tenant, to, asOf) }
}

/** Whether it says why one mention ties nothing, and so nothing against what ties the two all the same. */
function isOfOneMention(kind: Finding["kind"]): boolean {
  return kind === "listed" || (nameKinds.has(kind) && kind !== "skip_word")
}

function verdictOf(links: readonly ExplainedLink[], path: Explanation["path"]): Explanation["verdict"] {
  const known = links.filter((link) => link.known?.to === null)
  if (known.some(({ strength }) => strength === "strong")) return "linked"
  if (path !== null) return "linked_over_others"
  if (known.length > 0) return "shown_only"
  return links.length > 0 ? "withdrawn" : "not_linked"
}

function surest(way: readonly Edge[], evidence: readonly LinkEvidence[]): NonNullable<Explanation["path"]> {
  const byEdge = new Map(evidence.toReversed().map((link) => [edgeKey(link), link]))
  return way.flatMap((edge) => {
    const link = byEdge.get(edgeKey(edge))
    return link === undefined ? [] : [{ ...linkOf(link), eventId: link.eventId }]
  })
}

function linkOf({ from, to, relation, rule, ruleVersion, strength, confidence, evidence }: Link): Link {
  return { from, to, relation, rule, ruleVersion, strength, confidence, evidence }
}

function explained(record: LinkRecord): ExplainedLink {
  const { eventId: id, type, title, url, knownFrom, knownTo, document } = record
  const event: ShownBy = { id, type, title, url, occurredAt: record.occurredAt.toISOString() }
  const never = knownTo !== null && knownTo <= knownFrom
  return {
    ...linkOf(record),
    ...(document === undefined ? {} : { document }),
    event,
    known: never ? null : { from: knownFrom.toISOString(), to: knownTo?.toISOString() ?? null },
    firstKnown: record.firstKnown?.toISOString() ?? null,
    ...endOf(record),
  }
}

function endOf({ endedBy }: LinkRecord): Pick<ExplainedLink, "renewedBy" | "withdrawnBy"> {
  if (endedBy === null) return { renewedBy: null, withdrawnBy: null }
  const { renews, deleted, ...event } = endedBy
  const by: ShownBy = { ...event, occurredAt: new Date(event.occurredAt).toISOString() }
  return renews ? { renewedBy: by, withdrawnBy: null } : { renewedBy: null, withdrawnBy: { ...by, deleted } }
}

function revert({ from, to, eventId }: { from: string; to: string; eventId: string }): Finding {
  return { kind: "revert", detail: `${from} reverts ${to}`, eventId }
}

/** Whether a thing's being reverted is what links the two, or a step of the way: then it is no objection to that. */
function isLink(reverted: string, records: readonly LinkRecord[], path: Explanation["path"]): boolean {
  return [...records, ...(path ?? [])].some(({ to, relation }) => relation === "reverts" && to === reverted)
}

const maxEnds = 100

/** The strong link that led from what one reaches to what the other does, until it was withdrawn. */
async function withdrawnWay(
  db: Db,
  tenant: string,
  one: Reach,
  other: Reach,
  { ones, others }: Pair,
  asOf: Date | null,
): Promise<Finding | null> {
  const [link] = await withdrawnBetween(db, tenant, nearestTo(one), nearestTo(other), asOf)
  if (link === undefined) return null
  const isDirect = [link.from, link.to].every((end) => ones.includes(end) || others.includes(end))
  const [finding] = ending(link)
  if (finding === undefined || isDirect) return null
  const detail = `${link.from} ${link.relation} ${link.to} tied the two together and holds no more: ${finding.detail}`
  return { ...finding, detail }
}

function nearestTo({ entities }: Reach): string[] {
  return [...entities.keys()].slice(0, maxEnds)
}

/** The nearest thing that strong links reach from both. */
function commonGround(one: Reach, other: Reach, { ones, others }: Pair): Finding | null {
  let nearest: { entity: string; steps: number } | null = null
  for (const [entity, path] of one.entities) {
    const back = other.entities.get(entity)
    if (back === undefined || ones.includes(entity) || others.includes(entity)) continue
    const steps = path.length + back.length
    if (nearest === null || steps < nearest.steps) nearest = { entity, steps }
  }
  if (nearest === null) return null
  return {
    kind: "common",
    detail: `strong links lead from both to ${nearest.entity}, but that alone does not put them into one timeline`,
  }
}

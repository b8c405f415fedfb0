import { entityKind } from "../core/entity-key.ts"
import type { Link, Reference, StoredEvent } from "../core/envelope.ts"
import type { KnownNames, Normalized, Platform, TextField } from "../core/platform.ts"
import type { Correlation } from "./correlation.ts"
import type { Pace } from "./pace.ts"
import { collectReferences } from "./references.ts"
import { isRevert } from "./revert.ts"

/** An event as it is read today. */
export interface ReadEvent {
  event: StoredEvent
  normalized: Normalized
  references: readonly Reference[]
  links: readonly Link[]
}

/** What would make a strong link of a weak one. */
export interface Advice {
  /** What to do, as an order; null where nothing is known to help. */
  way: string | null
  /** Why closing words make none; null where they do, or where that is not known. */
  reason: string | null
}

/** What advice is tried by. */
export interface AdviceOptions {
  platforms: readonly Platform[]
  linksOf: Correlation["linksOf"]
  known: KnownNames
  pace: Pace
  /** All keys of what the link leads from: its newest event may have another than the link. */
  keys: readonly string[]
}

const places = ["title", "branch"] as const
const byProgram = "a program wrote the body"

/**
 * What would make a strong link of a weak one: each way is tried on the newest of the events, `read`, that has
 * what is to be changed, and told only where the rules then tie the two and no other strong link is lost.
 */
export async function adviceOn(
  { from, to }: Pick<Link, "from" | "to">,
  read: readonly ReadEvent[],
  options: AdviceOptions,
): Promise<Advice | null> {
  switch (`${entityKind(from)} ${entityKind(to)}`) {
    case "github:pull_request linear:issue":
    case "github:pull_request github:issue":
      return pullRequestAdvice({ from, to }, read, options)
    case "github:commit linear:issue":
    case "github:commit github:issue":
      return commitAdvice({ from, to }, read, options)
    default:
      return entityKind(from) === "slack:message" ? addressAdvice({ from, to }, read, options) : null
  }
}

async function pullRequestAdvice(
  link: Pick<Link, "from" | "to">,
  read: readonly ReadEvent[],
  options: AdviceOptions,
): Promise<Advice | null> {
  const own = read.find(
    (one) => options.keys.includes(one.normalized.entity ?? "") && ownText(one, "title") !== undefined,
  )
  if (own === undefined) return null
  const { to } = link
  const from = own.normalized.entity ?? link.from
  const id = idOf(to)
  const line = `Fixes ${numberWithin(from, id)}`
  const tried = async (changed: Normalized) => attempt(own, changed, { from, to }, options)
  const closed = await tried(changedText(own, "body", (text) => `${line}\n\n${text}`))
  const found: string[] = []
  for (const place of places) {
    if ((await tried(changedText(own, place, (text) => named(text, place, id)))) === "strong") {
      found.push(place)
    }
  }
  const ways = [
    ...(closed === "strong" ? [`write the line \`${line}\` into the body`] : []),
    ...(found.length === 0 ? [] : [`put it into the ${found.join(" or the ")}`]),
  ]
  const isBots = ownText(own, "body")?.bot === true
  return {
    way: ways.join(", or ") || null,
    reason: reasonOf(closed, own.normalized.title) ?? (isBots && closed !== "strong" ? byProgram : null),
  }
}

async function commitAdvice(
  { from, to }: Pick<Link, "from" | "to">,
  read: readonly ReadEvent[],
  options: AdviceOptions,
): Promise<Advice | null> {
  const isMessage = ({ field, subject }: TextField): boolean => field === "commit" && subject === from
  const own = read.find(({ normalized }) => normalized.texts.some((text) => isMessage(text)))
  if (own === undefined) return null
  const words = `Fixes ${idOf(to)}`
  const texts = own.normalized.texts.map((one) =>
    isMessage(one) ? { ...one, text: `${one.text}\n\n${words}` } : one,
  )
  const closed = await attempt(own, { ...own.normalized, texts }, { from, to }, options)
  return {
    way: closed === "strong" ? `write \`${words}\` in the commit's message` : null,
    reason: reasonOf(closed, texts.find((text) => isMessage(text))?.text ?? null),
  }
}

/** What an address in place of the name would come to, whichever it is: that the thing has one, is known. */
async function addressAdvice(
  { from, to }: Pick<Link, "from" | "to">,
  read: readonly ReadEvent[],
  { linksOf, pace }: AdviceOptions,
): Promise<Advice | null> {
  const own = read.find(({ normalized, references }) =>
    references.some(({ entity, subject }) => entity === to && (subject ?? normalized.entity) === from),
  )
  if (own === undefined) return null
  await pace.read(own.references.length)
  const changed = own.references.map((one) =>
    one.entity === to
      ? {
          ...one,
          relation: "mentions",
          evidence: { field: one.evidence.field, text: "https://example.com/" },
        }
      : one,
  )
  const links = linksOf(own.event, own.normalized, changed)
  if (outcome(own, links, { from, to }) !== "strong") return null
  return { way: "post its address", reason: null }
}

/** `lossy`: it would be strong, and others no more; `listed`: it would be, did the event name nothing else. */
type Outcome = "strong" | "lossy" | "listed" | "weak"

async function attempt(
  own: ReadEvent,
  changed: Normalized,
  { from, to }: Pick<Link, "from" | "to">,
  { platforms, linksOf, known, pace }: AdviceOptions,
): Promise<Outcome> {
  await pace.read(changed.texts.reduce((sum, { text }) => sum + text.length, 0))
  const references = collectReferences(platforms, changed, known)
  const found = outcome(own, linksOf(own.event, changed, references), { from, to })
  if (found !== "weak") return found
  const alone = references.filter(({ entity }) => entity === from || entity === to)
  const isStrong = isStrongBetween(linksOf(own.event, { ...changed, references: [] }, alone), { from, to })
  return isStrong ? "listed" : "weak"
}

function outcome(
  own: ReadEvent,
  links: readonly Link[],
  { from, to }: Pick<Link, "from" | "to">,
): Exclude<Outcome, "listed"> {
  if (!isStrongBetween(links, { from, to })) return "weak"
  const before = own.links.filter(({ strength }) => strength === "strong")
  return before.every((link) => isStrongBetween(links, link)) ? "strong" : "lossy"
}

function isStrongBetween(links: readonly Link[], { from, to }: Pick<Link, "from" | "to">): boolean {
  return links.some((link) => link.strength === "strong" && link.from === from && link.to === to)
}

/** Why closing words come to no more than that, in a text of such a title or first line. */
function reasonOf(found: Outcome, title: string | null): string | null {
  if (found === "strong") return null
  if (isRevert(title ?? "")) return "a revert implements nothing"
  return found === "weak" ? null : "too many things are named"
}

function ownText({ normalized }: ReadEvent, field: string): TextField | undefined {
  return normalized.texts.find((text) => text.field === field && text.subject === undefined)
}

/** What the event says, with one of its own texts changed, or begun where it has none. */
function changedText(
  own: ReadEvent,
  field: "title" | "body" | "branch",
  change: (text: string) => string,
): Normalized {
  const { normalized } = own
  const format = field === "title" ? "plain" : field === "body" ? "markdown" : "branch"
  const text = ownText(own, field)
  const changed: TextField = { format, field, ...text, text: change(text?.text ?? "") }
  const texts =
    text === undefined
      ? [...normalized.texts, changed]
      : normalized.texts.map((one) => (one === text ? changed : one))
  return { ...normalized, texts, title: field === "title" ? changed.text : normalized.title }
}

/** A title or the name of a branch that names the issue too. */
function named(text: string, place: (typeof places)[number], id: string): string {
  if (place === "title") return `${text} ${id}`
  return [id.toLowerCase(), text].filter((part) => part !== "").join("/")
}

function idOf(key: string): string {
  return key.slice(entityKind(key).length + 1)
}

/** `#42` of `acme/api#42`, where what refers to it is of that repository. */
function numberWithin(from: string, id: string): string {
  const at = id.lastIndexOf("#")
  return from.startsWith(`github:pull_request:${id.slice(0, at)}#`) ? id.slice(at) : id
}

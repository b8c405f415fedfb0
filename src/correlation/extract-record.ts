import type { Link, Reference, StoredEvent } from "../core/envelope.ts"
import type { KnownNames, Normalized, Platform, TextField } from "../core/platform.ts"
import { createCorrelation } from "./correlation.ts"

/** The texts of a pull request, as a history keeps them. */
export interface TextRecord {
  id: string | number
  title?: string | null | undefined
  branch?: string | null | undefined
  /** Markdown. */
  body?: string | null | undefined
}

/** An entity that a record names, with the text that shows it and what the built-in rules make of it. */
export interface ExtractedReference {
  /** Canonical key: `linear:issue:ENG-123`. */
  entity: string
  /** Of the link where a rule made one of this text, else the kind of mention: `implements`, `mentions`. */
  relation: string
  /** `weak` where no rule made a strong link of this text. */
  strength: Link["strength"]
  /** `text` is what stands from `start` to `end` in the field, in UTF-16 units. */
  evidence: { field: string; start: number; end: number; text: string }
}

// Of no repository, so that `#42`, which is one's own, names nothing.
const subject = "github:pull_request:record"
const epoch = new Date(0)

/**
 * Makes the function that reads records as a hub that knows these names reads a pull request just opened; it
 * keeps no state. What a hub shows as possible alone (`may_name`) is left out: the names given are all there are.
 */
export function createExtractor(
  platforms: readonly Platform[],
  known: KnownNames = {},
): (record: TextRecord) => ExtractedReference[] {
  const { correlate } = createCorrelation({ platforms, known })
  return (record) => {
    const normalized = pullRequestOf(record)
    const { references, links } = correlate(eventOf(normalized), normalized)
    return references.flatMap((reference) => extracted(reference, links))
  }
}

function extracted({ entity, relation, evidence }: Reference, links: readonly Link[]): ExtractedReference[] {
  const { field, text, start, end } = evidence
  if (start === undefined || end === undefined || relation === "may_name") return []
  const made = links.filter((link) => link.to === entity && isSame(link.evidence, evidence))
  const link = made.find(({ strength }) => strength === "strong") ?? made[0]
  return [
    {
      entity,
      relation: link?.relation ?? relation,
      strength: link?.strength ?? "weak",
      evidence: { field, start, end, text },
    },
  ]
}

function isSame(one: Reference["evidence"], other: Reference["evidence"]): boolean {
  return one.field === other.field && one.start === other.start && one.end === other.end
}

function pullRequestOf({ title, branch, body }: TextRecord): Normalized {
  return {
    type: "github.pull_request.opened",
    actor: null,
    entity: subject,
    title: title ?? null,
    url: null,
    occurredAt: epoch,
    detail: null,
    references: [],
    texts: [
      ...textField("title", "plain", title),
      ...textField("branch", "branch", branch),
      ...textField("body", "markdown", body),
    ],
  }
}

function textField(field: string, format: TextField["format"], text: string | null | undefined): TextField[] {
  return text === null || text === undefined || text === "" ? [] : [{ field, format, text }]
}

function eventOf({ type, entity, title }: Normalized): StoredEvent {
  return {
    id: "00000000-0000-7000-8000-000000000000",
    tenant: "default",
    platform: "github",
    source: "default",
    type,
    name: "pull_request:opened",
    deliveryId: "",
    priority: "normal",
    actor: null,
    entity,
    title,
    url: null,
    occurredAt: epoch,
    receivedAt: epoch,
    correlationId: "",
    causationId: null,
    headers: {},
    contentType: "application/json",
    backfilled: false,
    raw: Buffer.from("{}"),
  }
}

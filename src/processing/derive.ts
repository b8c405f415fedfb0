import { hash } from "node:crypto"
import type { Evidence, StoredEvent } from "../core/envelope.ts"
import type { Correlate } from "../core/correlate.ts"
import { deploymentTable } from "../core/deployment-detail.ts"
import { SignalboxError } from "../core/errors.ts"
import { maskRow, maskRowOfKeys, maskText } from "../core/mask.ts"
import { createNormalizer } from "../core/normalize-event.ts"
import type { KnownNames, Message, Normalized, Platform } from "../core/platform.ts"
import { deploymentRow, mergeRow, pushRows, type HistoryRow } from "../store/code-history.ts"
import { detailRow, type DetailTable } from "../store/details.ts"
import { logRow } from "../store/append-log.ts"
import { stateRows, tieOf } from "../store/entity-states.ts"
import { jsonRow } from "../store/json-rows.ts"
import { eventRow, type ProcessedEvent } from "../store/processing.ts"
import { linkRow, referenceRow } from "../store/relations.ts"
import type { KeysRead } from "../store/team-keys.ts"
import { headOf } from "./failed-attempt.ts"
import { stampOfLink, statesOf } from "./states-of.ts"

/** Everything that one event says, ready to be written; holds no body, and its rows no secret. */
export interface Derived {
  event: ProcessedEvent
  attempts: number
  eventRow: string
  logRow: string
  details: { table: DetailTable; row: string }[]
  referenceRows: string[]
  linkRows: string[]
  /** Rules that failed at it: of these, `linkRows` holds none. */
  failures: readonly { rule: string; error: unknown }[]
  stateRows: string[]
  historyRows: HistoryRow[]
  /** The provider's record that it tells of, where that is noted here (see Identity). */
  recordRow: string | null
  /** Keys of teams that it shows, and how many were known when it was read (see `expectTeamKeys`). */
  teamKeys: readonly string[]
  keysRead: KeysRead
  /** Size of all rows, in UTF-16 units. */
  size: number
}

/** Derives what an event says to who knows these names; throws whatever its platform or the rules throw. */
export type Derive = (event: StoredEvent, attempts: number, known?: KnownNames) => Derived

// Far above what correlation keeps; a bound on what a platform that keeps none can make us write.
const maxReferences = 1_000
const maxLinks = 2_000

/** Makes the derivation for these platforms and rules; it depends on the event and the names alone. */
export function createDerive(platforms: readonly Platform[], correlate: Correlate): Derive {
  const normalize = createNormalizer(platforms)
  return (event, attempts, known = {}) => {
    const { platform, message, normalized, event: filled } = normalize(event)
    const { references, links, failures = [] } = correlate(filled, normalized, known)
    const states = statesOf(normalized)
    const tie = states.length === 0 ? "" : tieOf(event)
    const derived = {
      event: headOf(filled),
      attempts,
      eventRow: maskRow(eventRow(filled)),
      logRow: maskRow(logRow(filled)),
      details: detailsOf(platform, filled, normalized),
      referenceRows: references
        .slice(0, maxReferences)
        .map((reference, ordinal) => maskRow(referenceRow(filled, withTrueOffsets(reference), ordinal))),
      linkRows: links
        .slice(0, maxLinks)
        .map((link) => maskRow(linkRow(filled, withTrueOffsets(link), stampOfLink(link, states, tie)))),
      failures,
      stateRows: states.flatMap((state) => stateRows(filled, state, tie)).map(maskRow),
      historyRows: historyOf(filled, normalized).map(({ table, row }) => ({
        table,
        row: maskRowOfKeys(row),
      })),
      recordRow: event.backfilled ? null : recordRow(platform, event, message),
      teamKeys: normalized.teamKeys ?? [],
      keysRead: { tenant: event.tenant, keys: known.teamKeys?.size ?? 0 },
    }
    return { ...derived, size: sizeOf(derived) }
  }
}

/** Offsets span the text of the evidence as it is shown: where a secret in it is masked, they would not. */
function withTrueOffsets<Shown extends { evidence: Evidence }>(shown: Shown): Shown {
  const { field, text, start } = shown.evidence
  return start === undefined || maskText(text) === text ? shown : { ...shown, evidence: { field, text } }
}

function detailsOf(platform: Platform, event: StoredEvent, normalized: Normalized): Derived["details"] {
  const { detail, deployment } = normalized
  const details: Derived["details"] = []
  if (platform.detail !== null && detail !== null) {
    details.push({ table: platform.detail, row: maskRow(detailRow(event.id, event.tenant, detail)) })
  }
  if (deployment && platform.detail?.table !== deploymentTable.table) {
    details.push({
      table: deploymentTable,
      row: maskRow(detailRow(event.id, event.tenant, { ...deployment })),
    })
  }
  return details
}

/** What it tells of branches, merges and deployments, from which follows what is live where. */
function historyOf(event: StoredEvent, { push, merge, deployment }: Normalized): HistoryRow[] {
  return [
    ...(push ? pushRows(event, push) : []),
    ...(merge ? [mergeRow(event, merge)] : []),
    ...(deployment ? [deploymentRow(event, deployment)] : []),
  ]
}

function recordRow(platform: Platform, event: StoredEvent, message: Message): string | null {
  const record = recordOf(platform, event, message)
  if (record === undefined) return null
  return jsonRow({
    tenant: event.tenant,
    platform: event.platform,
    source: event.source,
    state: record,
    event_id: event.id,
    body_sha256: hash("sha256", event.raw, "hex"),
  })
}

function recordOf(platform: Platform, { raw }: StoredEvent, message: Message): string | undefined {
  try {
    return platform.identify(message, raw).record
  } catch (error) {
    if (error instanceof SignalboxError) return undefined // taken in when less was asked of it
    throw error
  }
}

function sizeOf(rows: Omit<Derived, "size">): number {
  const details = rows.details.map(({ row }) => row)
  const texts = [
    rows.eventRow,
    rows.logRow,
    ...details,
    ...rows.referenceRows,
    ...rows.linkRows,
    ...rows.stateRows,
    ...rows.historyRows.map(({ row }) => row),
  ]
  return texts.reduce((sum, text) => sum + text.length, 0)
}

import type { Link, Reference, StoredEvent } from "../core/envelope.ts"
import type { Db } from "./database.ts"
import type { StateStamp } from "./entity-states.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** A reference found in an event, as a row for `insertReferences`; `ordinal` is its place among them. */
export function referenceRow(event: StoredEvent, reference: Reference, ordinal: number): string {
  return jsonRow({
    event_id: event.id,
    tenant: event.tenant,
    ordinal,
    subject: reference.subject,
    entity: reference.entity,
    relation: reference.relation,
    evidence: reference.evidence,
  })
}

/** Inserts references; those that are there stay as they are. */
export async function insertReferences(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "insert_references",
    text: `insert into event_references (event_id, tenant, ordinal, subject, entity, relation, evidence)
      select event_id, tenant, ordinal, subject, entity, relation, evidence
      from jsonb_populate_recordset(null::event_references, $1::jsonb)
      on conflict (event_id, ordinal) do nothing`,
    values: [jsonRows(rows)],
  })
}

/**
 * A link that an event shows, as a row for `insertLinks`; `state` is that of the thing whose field shows it,
 * where the event tells of one.
 */
export function linkRow(event: StoredEvent, link: Link, state?: StateStamp): string {
  return jsonRow({
    ...(state === undefined
      ? {}
      : { document: link.document, field: link.evidence.field, stated_at: state.at, tie: state.tie }),
    known_from: event.receivedAt,
    tenant: event.tenant,
    from_entity: link.from,
    to_entity: link.to,
    relation: link.relation,
    rule: link.rule,
    event_id: event.id,
    rule_version: link.ruleVersion,
    strength: link.strength,
    confidence: link.confidence,
    evidence: link.evidence,
    occurred_at: event.occurredAt ?? event.receivedAt,
  })
}

/** Inserts links; of two alike from one event the first stays. */
export async function insertLinks(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "insert_links",
    text: `insert into event_correlations (tenant, from_entity, to_entity, relation, rule, event_id,
        rule_version, strength, confidence, evidence, occurred_at, document, field, stated_at, tie, known_from)
      select tenant, from_entity, to_entity, relation, rule, event_id,
        rule_version, strength, confidence, evidence, occurred_at, document, field, stated_at, tie, known_from
      from jsonb_populate_recordset(null::event_correlations, $1::jsonb)
      on conflict (event_id, from_entity, to_entity, relation, rule) do nothing`,
    values: [jsonRows(rows)],
  })
}

/** Removes the references that these events showed, to write what they show now. */
export async function deleteReferences(db: Db, ids: readonly string[]): Promise<void> {
  await db.query({
    name: "delete_references",
    text: "delete from event_references where event_id = any($1::uuid[])",
    values: [ids],
  })
}

/** Names of the rules that made links of these events. */
export async function rulesBehind(db: Db, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ rule: string }>({
    name: "rules_behind",
    text: "select distinct rule from event_correlations where event_id = any($1::uuid[]) order by rule",
    values: [ids],
  })
  return rows.map(({ rule }) => rule)
}

const linkKey = "event_id, from_entity, to_entity, relation, rule"
const linkContent =
  "tenant, rule_version, strength, confidence, evidence, occurred_at, document, field, stated_at, tie, known_from"

/** A rule whose links of an event stay. */
export interface KeptRule {
  eventId: string
  rule: string
}

/**
 * Removes the links that these events showed and do not show any more: all but those that are among
 * `rows` just as they stand, and those of `kept`.
 */
export async function deleteLinksExcept(
  db: Db,
  ids: readonly string[],
  rows: readonly string[],
  kept: readonly KeptRule[],
): Promise<void> {
  await db.query({
    name: "delete_links_except",
    text: `delete from event_correlations where event_id = any($1::uuid[]) and (${linkKey}) not in (
        select ${prefixed("c", linkKey)} from jsonb_populate_recordset(null::event_correlations, $2::jsonb) as now
        join event_correlations c on (${prefixed("c", linkKey)}) = (${prefixed("now", linkKey)})
        where (${prefixed("c", linkContent)}) is not distinct from (${prefixed("now", linkContent)})
      ) and (event_id, rule) not in (select * from unnest($3::uuid[], $4::text[]))`,
    values: [ids, jsonRows(rows), kept.map(({ eventId }) => eventId), kept.map(({ rule }) => rule)],
  })
}

function prefixed(alias: string, columns: string): string {
  return columns
    .split(", ")
    .map((column) => `${alias}.${column}`)
    .join(", ")
}

import type { Link } from "../../src/core/envelope.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import type { Db } from "../../src/store/database.ts"

/** An edge of a test's graph; the rest is filled in. */
export interface EdgeRow extends Partial<Link> {
  from: string
  to: string
  relation: string
  tenant?: string
  eventId?: string
  occurredAt?: string
}

/** Writes edges as they stand, each from an event of its own unless it names one. */
export async function insertEdges(db: Db, edges: readonly EdgeRow[]): Promise<void> {
  const rows = edges.map((given) => ({
    tenant: given.tenant ?? "default",
    from_entity: given.from,
    to_entity: given.to,
    relation: given.relation,
    rule: given.rule ?? "test",
    event_id: given.eventId ?? uuidv7(),
    rule_version: given.ruleVersion ?? 1,
    strength: given.strength ?? "strong",
    confidence: given.confidence ?? 1,
    evidence: given.evidence ?? { field: "test", text: given.relation },
    occurred_at: given.occurredAt ?? "2026-11-21T12:00:00Z",
    known_from: "2026-11-21T12:00:00Z",
  }))
  await db.query(
    `insert into event_correlations (tenant, from_entity, to_entity, relation, rule, event_id, rule_version,
       strength, confidence, evidence, occurred_at, known_from)
     select tenant, from_entity, to_entity, relation, rule, event_id, rule_version, strength, confidence,
       evidence, occurred_at, known_from from jsonb_populate_recordset(null::event_correlations, $1::jsonb)`,
    [JSON.stringify(rows)],
  )
}

/** `a -implements-> b` as an edge; `a ~mentions~> b` as a weak one. */
export function edge(written: string): EdgeRow {
  const [, from = "", mark, relation = "", to = ""] = /^(\S+) ([-~])(\w+)[-~]> (\S+)$/.exec(written) ?? []
  return { from, to, relation, strength: mark === "~" ? "weak" : "strong" }
}

export interface EventRow {
  entity: string | null
  occurredAt: string
  position: number
  id?: string
  tenant?: string
  type?: string
  raw?: string
}

/** Writes events that are in the log already. */
export async function insertLogged(db: Db, events: readonly EventRow[]): Promise<void> {
  const rows = events.map((event) => ({
    id: event.id ?? uuidv7(),
    tenant: event.tenant ?? "default",
    entity: event.entity,
    type: event.type ?? "github.pull_request.opened",
    occurred_at: event.occurredAt,
    position: event.position,
    raw: event.raw ?? "{}",
  }))
  const values = [JSON.stringify(rows)]
  const columns = `id uuid, tenant text, entity text, type text, occurred_at timestamptz, position bigint, raw text`
  await db.query(
    `insert into events (id, tenant, platform, source, type, name, delivery_id, priority, entity, occurred_at,
       received_at, correlation_id, headers, content_type, raw)
     select id, tenant, 'github', 'default', type, 'name', id, 'normal', entity, occurred_at, occurred_at, 'c',
       '{}', 'application/json', convert_to(raw, 'UTF8') from jsonb_to_recordset($1::jsonb) as x (${columns})`,
    values,
  )
  await db.query(
    `insert into event_log (position, event_id, tenant, platform, source, type, name, priority, entity,
       occurred_at, correlation_id, bytes, appended_at)
     select position, id, tenant, 'github', 'default', type, 'name', 'normal', entity, occurred_at, 'c',
       octet_length(raw), now()
     from jsonb_to_recordset($1::jsonb) as x (${columns})`,
    values,
  )
}

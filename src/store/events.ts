import type pg from "pg"
import type { Actor, PlatformName, Priority, StoredEvent } from "../core/envelope.ts"
import { isUuid } from "../core/uuid.ts"
import type { Db } from "./database.ts"
import { queryUncopied, type PlainStatement } from "./query-uncopied.ts"
import { valuesList } from "./values-list.ts"

/** An event as ingest hands it over: identified, not yet processed. */
export interface NewEvent {
  id: string
  tenant: string
  platform: PlatformName
  source: string
  type: string
  name: string
  deliveryId: string
  priority: Priority
  receivedAt: Date
  correlationId: string
  causationId: string | null
  headers: Readonly<Record<string, string>>
  contentType: string
  /** Which of the platform's kinds of sender it came from. */
  sender?: string | undefined
  /** The secret that verified it; absent where none did. */
  secretId?: string | undefined
  /** Fetched from the provider's record, not sent by it. */
  backfilled?: boolean | undefined
  /** See Identity; of what is backfilled the record is its state. */
  state?: string | undefined
  record?: string | undefined
  /** See Identity. */
  endpointHeader?: string | undefined
  raw: Buffer
  /** SHA-256 of `raw`: tells a repeat from a conflict. */
  bodyHash: Buffer
}

/**
 * Inserts event rows in one statement, its text named by the number of rows so that a connection
 * parses each once. Bodies travel as binary parameters and are nowhere encoded or copied.
 */
export function insertEvents(client: pg.ClientBase, events: readonly NewEvent[]): Promise<pg.QueryResult> {
  const values: PlainStatement["values"] = []
  for (const event of events) {
    values.push(
      event.id,
      event.tenant,
      event.platform,
      event.source,
      event.type,
      event.name,
      event.deliveryId,
      event.priority,
      event.receivedAt.toISOString(),
      event.correlationId,
      event.causationId,
      JSON.stringify(event.headers),
      event.contentType,
      event.sender ?? null,
      event.secretId ?? null,
      event.backfilled === true ? "t" : "f",
      event.raw,
    )
  }
  return queryUncopied(client, {
    name: `insert_events_${events.length}`,
    text: `insert into events (id, tenant, platform, source, type, name, delivery_id, priority, received_at,
        correlation_id, causation_id, headers, content_type, sender, secret_id, backfilled, raw)
      values ${valuesList(events.length, 17)}`,
    values,
  })
}

/** A row of `events` as the driver hands it out. */
export interface EventRow {
  id: string
  tenant: string
  platform: PlatformName
  source: string
  type: string
  name: string
  delivery_id: string
  priority: Priority
  actor_id: string | null
  actor_name: string | null
  actor_bot: boolean | null
  entity: string | null
  title: string | null
  url: string | null
  occurred_at: Date | null
  received_at: Date
  correlation_id: string
  causation_id: string | null
  headers: Record<string, string>
  content_type: string
  sender: string | null
  backfilled: boolean
  /** As `body_text` writes a body. */
  raw: string
}

/** Every column of `events` but the body. */
export const eventColumns = `id, tenant, platform, source, type, name, delivery_id, priority, actor_id, actor_name,
  actor_bot, entity, title, url, occurred_at, received_at, correlation_id, causation_id, headers,
  content_type, sender, backfilled`

/** One event by id; undefined where there is none, or where the text is no id at all. */
export async function findEvent(db: Db, id: string): Promise<StoredEvent | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await db.query<EventRow>(
    `select ${eventColumns}, body_text(raw) as raw from events where id = $1`,
    [id],
  )
  return rows[0] === undefined ? undefined : storedEvent(rows[0])
}

/** How an event came. */
export interface Origin {
  headers: Readonly<Record<string, string>>
  backfilled: boolean
}

/** How these events came, by their ids; those that retention has dropped are absent. */
export async function findOrigins(db: Db, ids: readonly string[]): Promise<Map<string, Origin>> {
  if (ids.length === 0) return new Map()
  const { rows } = await db.query<Origin & { id: string }>(
    "select id, headers, backfilled from events where id = any($1)",
    [ids],
  )
  return new Map(rows.map(({ id, ...origin }) => [id, origin]))
}

/** The body of an event exactly as received, and the Content-Type it came with. */
export async function findRaw(db: Db, id: string): Promise<{ raw: Buffer; contentType: string } | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await db.query<{ raw: Buffer; contentType: string }>(
    `select raw, content_type as "contentType" from events where id = $1`,
    [id],
  )
  return rows[0]
}

/** The event that a row holds. */
export function storedEvent(row: EventRow): StoredEvent {
  return {
    id: row.id,
    tenant: row.tenant,
    platform: row.platform,
    source: row.source,
    type: row.type,
    name: row.name,
    deliveryId: row.delivery_id,
    priority: row.priority,
    actor: actorOf(row),
    entity: row.entity,
    title: row.title,
    url: row.url,
    occurredAt: row.occurred_at,
    receivedAt: row.received_at,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    headers: row.headers,
    contentType: row.content_type,
    ...(row.sender === null ? {} : { sender: row.sender }),
    backfilled: row.backfilled,
    raw: bodyOf(row.raw),
  }
}

/** The body that `body_text` wrote. */
function bodyOf(text: string): Buffer {
  return text.startsWith("\\x") ? Buffer.from(text.slice(2), "hex") : Buffer.from(text)
}

function actorOf(row: EventRow): Actor | null {
  return row.actor_id === null
    ? null
    : { id: row.actor_id, name: row.actor_name ?? row.actor_id, bot: row.actor_bot === true }
}

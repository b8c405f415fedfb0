import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** A table of detail rows: one row an event of one platform. */
export interface DetailTable {
  table: string
  /** Its columns besides `event_id` and `tenant`. */
  columns: readonly string[]
}

/** What a platform found in an event, as a row for `writeDetails`. */
export function detailRow(
  eventId: string,
  tenant: string,
  detail: Readonly<Record<string, unknown>>,
): string {
  return jsonRow({ ...detail, event_id: eventId, tenant })
}

/** Writes detail rows, over those that are there; columns that a row leaves out are null. */
export async function writeDetails(db: Db, detail: DetailTable, rows: readonly string[]): Promise<void> {
  await db.query({ name: `write_${detail.table}`, text: textFor(detail), values: [jsonRows(rows)] })
}

/** Takes the rows of these events away. */
export async function deleteDetails(
  db: Db,
  { table }: Pick<DetailTable, "table">,
  eventIds: readonly string[],
): Promise<void> {
  await db.query(`delete from ${quoted(table)} where event_id = any($1::uuid[])`, [eventIds])
}

const texts = new WeakMap<DetailTable, string>()

function textFor(detail: DetailTable): string {
  let text = texts.get(detail)
  if (text === undefined) {
    const table = quoted(detail.table)
    const columns = detail.columns.map(quoted)
    const changes = columns.map((column) => `${column} = excluded.${column}`)
    text = `insert into ${table} (${["event_id", "tenant", ...columns].join(", ")})
      select ${["event_id", "tenant", ...columns].join(", ")}
      from jsonb_populate_recordset(null::${table}, $1::jsonb)
      on conflict (event_id) do update set ${changes.join(", ")}`
    texts.set(detail, text)
  }
  return text
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

import type { Db } from "../store/database.ts"
import { writeDetails, type DetailTable } from "../store/details.ts"
import { updateEvents } from "../store/processing.ts"
import { insertLinks, insertReferences } from "../store/relations.ts"
import type { Derived } from "./derive.ts"

/** Writes what events say: their own columns, details, references and links. All is sent at once. */
export async function writeDerived(db: Db, derived: readonly Derived[]): Promise<void> {
  if (derived.length === 0) return
  const rows = derived.map(({ eventRow }) => eventRow)
  const references = derived.flatMap(({ referenceRows }) => referenceRows)
  const links = derived.flatMap(({ linkRows }) => linkRows)
  const writes = [updateEvents(db, rows)]
  for (const [table, details] of detailRows(derived)) writes.push(writeDetails(db, table, details))
  if (references.length > 0) writes.push(insertReferences(db, references))
  if (links.length > 0) writes.push(insertLinks(db, links))
  await Promise.all(writes)
}

function detailRows(derived: readonly Derived[]): Map<DetailTable, string[]> {
  const byTable = new Map<DetailTable, string[]>()
  for (const { detail } of derived) {
    if (detail === null) continue
    const rows = byTable.get(detail.table)
    if (rows === undefined) byTable.set(detail.table, [detail.row])
    else rows.push(detail.row)
  }
  return byTable
}

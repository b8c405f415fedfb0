import { insertHistory } from "../store/code-history.ts"
import type { Db } from "../store/database.ts"
import { writeDetails, type DetailTable } from "../store/details.ts"
import { insertStates } from "../store/entity-states.ts"
import { noteRecords } from "../store/event-states.ts"
import { updateEvents } from "../store/processing.ts"
import { insertLinks, insertReferences } from "../store/relations.ts"
import type { Derived } from "./derive.ts"

/** Writes what events say: their own columns, details, references and states. All is sent at once. */
export async function writeDerived(db: Db, derived: readonly Derived[]): Promise<void> {
  if (derived.length === 0) return
  const rows = derived.map(({ eventRow }) => eventRow)
  const references = derived.flatMap(({ referenceRows }) => referenceRows)
  const writes = [updateEvents(db, rows)]
  for (const [table, details] of detailRows(derived)) writes.push(writeDetails(db, table, details))
  if (references.length > 0) writes.push(insertReferences(db, references))
  const history = derived.flatMap(({ historyRows }) => historyRows)
  if (history.length > 0) writes.push(insertHistory(db, history))
  const states = derived.flatMap(({ stateRows }) => stateRows)
  if (states.length > 0) writes.push(insertStates(db, states))
  // In one order for all: two transactions that note the same records wait in turn.
  const records = derived.flatMap(({ recordRow }) => recordRow ?? []).toSorted()
  if (records.length > 0) writes.push(noteRecords(db, records))
  await Promise.all(writes)
}

/** Writes the links that events show. */
export async function writeLinks(db: Db, derived: readonly Derived[]): Promise<void> {
  const links = derived.flatMap(({ linkRows }) => linkRows)
  if (links.length > 0) await insertLinks(db, links)
}

function detailRows(derived: readonly Derived[]): Map<DetailTable, string[]> {
  const byTable = new Map<DetailTable, string[]>()
  for (const { table, row } of derived.flatMap(({ details }) => details)) {
    const rows = byTable.get(table)
    if (rows === undefined) byTable.set(table, [row])
    else rows.push(row)
  }
  return byTable
}

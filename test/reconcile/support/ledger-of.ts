import type { Source } from "../../../src/core/source.ts"
import type { Database } from "../../../src/store/database.ts"

/** The ledger's line of a source. */
export async function ledgerOf(database: Database, source: Source) {
  const { rows } = await database.work.query<{
    complete_from: Date | null
    complete_through: Date | null
    problem: string | null
    calls: number
    repaired: number
    open: number
    lost: number
    summary: string
    running: boolean
  }>("select * from source_ledger where source_id = $1", [source.id])
  return rows[0]!
}

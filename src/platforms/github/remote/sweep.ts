import type { RecoveryAccess, SweepPage, SweepWindow } from "../../../core/remote.ts"
import { text, at } from "../read.ts"
import type { Client } from "./client.ts"
import { deliveriesOf } from "./deliveries.ts"
import { findHooks } from "./hooks.ts"
import { recordStrands } from "./records/index.ts"
import type { Strand } from "./strand.ts"

/** Where a sweep stopped: within a strand, or after it. */
interface Cursor {
  strand: string
  /** Null: the strand was read to its end. */
  position: string | null
}

/**
 * The deliveries of every hook first, then the records of their repositories (unless the source's
 * setting `records` is false). Which strands there are is asked for anew when a sweep goes on: an
 * unknown one in the cursor begins from the first.
 */
export async function* sweep(
  client: Client,
  access: RecoveryAccess,
  window: SweepWindow,
): AsyncGenerator<SweepPage> {
  const cursor = cursorOf(window.cursor)
  const hooks = await findHooks(access, client, window.since)
  const deliveries = hooks.map((hook) => deliveriesOf(client, hook, window, access.clock()))
  const isAmongRecords = cursor !== null && !cursor.strand.startsWith("deliveries ")
  if (!isAmongRecords) yield* read(deliveries, cursor)
  if (String(access.settings["records"]) === "false") return // the command line writes text
  yield* read(await recordStrands(client, hooks, window, access.clock), isAmongRecords ? cursor : null)
}

async function* read(strands: readonly Strand[], cursor: Cursor | null): AsyncGenerator<SweepPage> {
  const found = strands.findIndex(({ key }) => key === cursor?.strand)
  for (const [index, strand] of strands.entries()) {
    if (index < found || (index === found && cursor?.position === null)) continue
    const from = index === found ? (cursor?.position ?? null) : null
    for await (const { findings, position, progress } of strand.pages(from)) {
      yield { findings, cursor: JSON.stringify({ strand: strand.key, position }), progress }
    }
  }
}

function cursorOf(cursor: string | null): Cursor | null {
  if (cursor === null) return null
  const saved: unknown = JSON.parse(cursor)
  const strand = text(saved, "strand")
  const position = at(saved, "position")
  return strand === null ? null : { strand, position: typeof position === "string" ? position : null }
}

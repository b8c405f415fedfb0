import { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import { defaultSource } from "../../../core/source.ts"
import type { CommandContext } from "../../command.ts"
import { requestHub } from "../../remote.ts"

/** One action of `signalbox sources` that a running hub carries out; the answer is the exit status. */
export interface HubAction {
  /** What follows its name. */
  usage: string
  run(context: CommandContext): Promise<number>
}

const ledger = z.looseObject({
  platform: z.string(),
  source: z.string(),
  summary: z.string(),
  problem: z.string().nullable(),
  progress: z.string().nullable(),
  askable: z.boolean(),
  wanted: z.boolean(),
  running: z.boolean(),
  repaired: z.number(),
  open: z.number(),
})
const page = z.object({ sources: z.array(ledger), nextCursor: z.string().nullable() })

/** How complete a source is known to be, as the hub tells it. */
export type Ledger = z.infer<typeof ledger>

/**
 * The ledgers of all sources, or of the one that is named as `PLATFORM` or `PLATFORM/NAME`; throws
 * `not_found` where there is none.
 */
export async function readLedgers(context: CommandContext, named: string | undefined): Promise<Ledger[]> {
  const ledgers: Ledger[] = []
  for (let cursor: string | null = ""; cursor !== null;) {
    const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`
    const response = await requestHub(context, `/api/v1/completeness?limit=500${query}`)
    const { sources, nextCursor } = await pageOf(response)
    ledgers.push(...sources)
    cursor = nextCursor
  }
  if (named === undefined) return ledgers
  const path = named.includes("/") ? named : `${named}/${defaultSource}`
  const wanted = ledgers.filter((found) => pathOf(found) === path)
  if (wanted.length > 0) return wanted
  throw new SignalboxError("not_found", `there is no source ${path}: sources list shows those there are`)
}

async function pageOf(response: Response): Promise<z.infer<typeof page>> {
  const answer: unknown = await response.json().catch(() => null)
  const { data } = page.safeParse(answer)
  if (data !== undefined) return data
  const { origin } = new URL(response.url)
  throw new SignalboxError(
    "unavailable",
    `what answers at ${origin} is no signalbox: name the hub with --url`,
  )
}

/** `github/default`. */
export function pathOf({ platform, source }: Ledger): string {
  return `${platform}/${source}`
}

import { Hono, type Context } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import { readAs, type Database, type Db } from "../store/database.ts"
import { findLedger, gapStates, listGaps, listLedgers, type GapRow, type LedgerRow } from "../store/ledger.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { managedTenant } from "./managed-tenant.ts"
import { parseQuery } from "./parse.ts"

export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(512).optional(),
})
const listCursor = z.tuple([z.string(), z.string()])

export const gapQuery = z.strictObject({
  state: z.enum(gapStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional(),
})
const gapCursor = z.tuple([z.iso.datetime(), z.uuid()])

export const demandQuery = z.strictObject({ since: z.iso.datetime({ offset: true }).optional() })

/** What the routes ask of the reconciler. */
export interface Completeness {
  /** Why the provider of a source cannot be asked, in a sentence; null where it can be. */
  unaskable(platform: string, source: string): string | null
  /** Has a source swept as soon as may be, looking back to `since` if it is given. */
  want(source: { tenant: string; platform: string; name: string }, since: Date | null): Promise<void>
}

export interface CompletenessOptions {
  database: Database
  completeness: Completeness
}

/** `GET /api/v1/completeness`: how complete each source is known to be. Needs `events:read`. */
export function completenessRoutes({ database, completeness }: CompletenessOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  app.get("/", async (c) => {
    const { limit, cursor } = parseQuery(c, listQuery)
    const [platform, source] = cursor === undefined ? [] : decodeCursor(cursor, listCursor)
    const after = platform === undefined || source === undefined ? null : { platform, source }
    const found = await look(database, c, (db) => listLedgers(db, { after, limit }))
    const last = found.length === limit ? found.at(-1) : undefined
    return c.json({
      sources: found.map((ledger) => showLedger(ledger, completeness)),
      nextCursor: last === undefined ? null : encodeCursor([last.platform, last.source]),
    })
  })
  return app
}

/**
 * `GET /api/v1/sources/:platform/:name/completeness`: the ledger of a source with its gaps, newest first;
 * `POST /api/v1/sources/:platform/:name/reconcile` has it swept now. Both need `admin`.
 */
export function sourceCompletenessRoutes({ database, completeness }: CompletenessOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.get("/:platform/:name/completeness", async (c) => {
    const { state, limit, cursor } = parseQuery(c, gapQuery)
    const before = cursor === undefined ? null : readGapCursor(cursor)
    const states = state === undefined ? null : [state]
    const { ledger, gaps } = await look(database, c, async (db) => {
      const found = ledgerOrNone(await findLedger(db, c.req.param("platform"), c.req.param("name")))
      return { ledger: found, gaps: await listGaps(db, found.sourceId, { states, before, limit }) }
    })
    const last = gaps.length === limit ? gaps.at(-1) : undefined
    return c.json({
      ...showLedger(ledger, completeness),
      gaps: gaps.map(showGap),
      nextCursor: last === undefined ? null : encodeCursor([last.startedAt.toISOString(), last.id]),
    })
  })

  app.post("/:platform/:name/reconcile", async (c) => {
    const { since } = parseQuery(c, demandQuery)
    const [platform, name] = [c.req.param("platform"), c.req.param("name")]
    const { tenant } = ledgerOrNone(await look(database, c, (db) => findLedger(db, platform, name)))
    const reason = completeness.unaskable(platform, name)
    if (reason !== null) throw new SignalboxError("conflict", reason)
    await completeness.want({ tenant, platform, name }, since === undefined ? null : new Date(since))
    return c.json({ platform, source: name, wanted: true }, 202)
  })

  return app
}

/** Reads what the principal may see: the rows of its tenant, or, for SIGNALBOX_ADMIN_KEY, all. */
function look<T>(database: Database, c: Context<AuthEnv>, read: (db: Db) => Promise<T>): Promise<T> {
  const tenant = managedTenant(c.var.principal)
  return tenant === null ? read(database.work) : readAs(database, tenant, read)
}

function ledgerOrNone(ledger: LedgerRow | undefined): LedgerRow {
  if (ledger === undefined) throw new SignalboxError("not_found", "there is no source of that name")
  return ledger
}

function readGapCursor(cursor: string): { startedAt: Date; id: string } {
  const [startedAt, id] = decodeCursor(cursor, gapCursor)
  return { startedAt: new Date(startedAt), id }
}

/** The ledger of a source as the API shows it. */
export type ShownLedger = ReturnType<typeof showLedger>

function showLedger({ sourceId: _id, ...ledger }: LedgerRow, completeness: Completeness) {
  const reason = completeness.unaskable(ledger.platform, ledger.source)
  const { open, completeThrough } = ledger
  const isKnown = completeThrough !== null || reason === null
  return {
    ...ledger,
    askable: reason === null,
    summary: isKnown ? ledger.summary : `cannot be known: ${reason}; ${open} open`,
    problem: reason ?? ledger.problem,
    completeFrom: ledger.completeFrom?.toISOString() ?? null,
    completeThrough: completeThrough?.toISOString() ?? null,
    checkedAt: ledger.checkedAt?.toISOString() ?? null,
    ranAt: ledger.ranAt?.toISOString() ?? null,
    nextAt: ledger.nextAt?.toISOString() ?? null,
  }
}

/** A gap as the API shows it. */
export type ShownGap = ReturnType<typeof showGap>

function showGap(gap: GapRow) {
  return {
    ...gap,
    startedAt: gap.startedAt.toISOString(),
    endedAt: gap.endedAt?.toISOString() ?? null,
    settledAt: gap.settledAt?.toISOString() ?? null,
  }
}

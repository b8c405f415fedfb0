import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import type { Clock } from "../core/clock.ts"
import { readAs, type Database } from "../store/database.ts"
import { groupLagSums } from "../store/group-lag.ts"
import { listLedgers, type LedgerRow } from "../store/ledger.ts"
import { readCounts, type EventCount } from "../store/metrics.ts"
import { webhookStandings } from "../store/webhook-standing.ts"
import { parseQuery } from "./parse.ts"

export const query = z.strictObject({
  minutes: z.coerce.number().int().min(1).max(44_640).default(60),
})

interface TypeMetrics {
  platform: string
  type: string
  processed: number
  failed: number
  /** Received to processed, in milliseconds. */
  meanMs: number
  maxMs: number
}

interface SourceMetrics {
  platform: string
  source: string
  /** How long ago the time was up to which the source is known to be complete; null where nothing is known. */
  completeThroughLagSeconds: number | null
  /** Gaps by what became of them. */
  open: number
  repaired: number
  lost: number
}

const maxSources = 500
const maxGroups = 500
const maxSubscriptions = 500

/**
 * `GET /api/v1/metrics`: counts and latencies by type over the last minutes (60), how complete each
 * source is known to be, how far consumer groups are behind, and how webhook subscriptions go.
 */
export function metricRoutes(database: Database, clock: Clock): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  app.get("/", async (c) => {
    const { minutes } = parseQuery(c, query)
    const { tenant } = c.var.principal
    const now = clock().getTime()
    const { counts, ledgers, groups, subscriptions } = await readAs(database, tenant, async (db) => ({
      counts: await readCounts(db, {
        since: new Date(now - minutes * 60_000),
        until: new Date(now + 60_000),
        tenant,
      }),
      ledgers: await listLedgers(db, { after: null, limit: maxSources }),
      groups: await groupLagSums(db, maxGroups),
      subscriptions: await webhookStandings(db, maxSubscriptions),
    }))
    const sources = ledgers.map((ledger) => ofSource(ledger, now))
    return c.json({ minutes, metrics: byType(counts), sources, groups, subscriptions, nextCursor: null })
  })
  return app
}

function ofSource(ledger: LedgerRow, now: number): SourceMetrics {
  const { platform, source, completeThrough, open, repaired, lost } = ledger
  const lag = completeThrough === null ? null : Math.max(0, (now - completeThrough.getTime()) / 1_000)
  return { platform, source, completeThroughLagSeconds: lag, open, repaired, lost }
}

function byType(counts: readonly EventCount[]): TypeMetrics[] {
  const groups = Map.groupBy(counts, ({ type }) => type)
  return [...groups.values()].map((group) => {
    const { platform, type } = group[0]!
    const processed = sum(group, (count) => count.processed)
    const failed = sum(group, (count) => count.failed)
    const totalMs = sum(group, (count) => count.total_ms)
    const maxMs = Math.max(...group.map((count) => count.max_ms))
    return { platform, type, processed, failed, meanMs: processed === 0 ? 0 : totalMs / processed, maxMs }
  })
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

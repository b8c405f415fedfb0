import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import { readAs, type Database } from "../store/database.ts"
import { readDeliveryMetrics } from "../store/delivery-metrics.ts"
import { parseQuery } from "./parse.ts"

const instant = z.iso.datetime({ offset: true })
const query = z.strictObject({
  environment: z.string().trim().toLowerCase().min(1).max(256).default("production"),
  since: instant.optional(),
  until: instant.optional(),
})

const dayMs = 86_400_000
const usualDays = 30

/**
 * `GET /api/v1/metrics/delivery?environment=&since=&until=`: DORA's figures of [since, until), the last 30
 * days unless told otherwise, for environments of that name or kind. docs/analytics.md defines each.
 */
export function deliveryMetricRoutes(database: Database, clock: Clock): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  app.get("/", async (c) => {
    const given = parseQuery(c, query)
    const until = given.until === undefined ? clock() : new Date(given.until)
    const since =
      given.since === undefined ? new Date(until.getTime() - usualDays * dayMs) : new Date(given.since)
    if (since >= until) throw new SignalboxError("bad_request", "since must be before until")
    const { environment } = given
    const figures = await readAs(database, c.var.principal.tenant, (db) =>
      readDeliveryMetrics(db, { environment, since, until }),
    )
    const { releases, succeeded, failures, restored, timeToRestoreSeconds, ...changes } = figures
    const days = (until.getTime() - since.getTime()) / dayMs
    return c.json({
      environment,
      since: since.toISOString(),
      until: until.toISOString(),
      releases,
      succeeded,
      deploymentsPerDay: succeeded / days,
      failures,
      changeFailureRate: releases === 0 ? null : failures / releases,
      restored,
      timeToRestoreSeconds,
      ...changes,
    })
  })
  return app
}

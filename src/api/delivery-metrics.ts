import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import type { Clock } from "../core/clock.ts"
import { environmentName } from "../core/environment-name.ts"
import { SignalboxError } from "../core/errors.ts"
import { readAs, type Database } from "../store/database.ts"
import { readDeliveryMetrics } from "../store/delivery-metrics.ts"
import { fewAtOnce } from "./few-at-once.ts"
import { instant } from "./instant.ts"
import { parseQuery } from "./parse.ts"

export const query = z.strictObject({
  environment: z
    .string()
    .trim()
    .min(1)
    .max(256)
    .default("production")
    .transform((name) => environmentName(name, null)),
  service: z.string().min(1).max(1024).optional(),
  since: instant.optional(),
  until: instant.optional(),
})

const dayMs = 86_400_000
const usualDays = 30
// RFC 3339 knows years of four digits.
const [earliest, latest] = [new Date("0001-01-01T00:00:00Z"), new Date("9999-12-31T23:59:59.999Z")]

export interface DeliveryMetricOptions {
  /** Milliseconds that a request waits while two others are being answered (2 s). */
  waitMs?: number
}

/**
 * `GET /api/v1/metrics/delivery?environment=&service=&since=&until=`: DORA's figures of [since, until), the last
 * 30 days unless told otherwise, for environments of that name or kind, of one service or of all.
 * docs/analytics.md defines each. Two are answered at once; a further one waits a moment, then fails with 429.
 */
export function deliveryMetricRoutes(
  database: Database,
  clock: Clock,
  options: DeliveryMetricOptions = {},
): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  const oneOfFew = fewAtOnce({ what: "figures of delivery", ...options })
  app.get("/", async (c) => {
    const given = parseQuery(c, query)
    const until = given.until ?? clock()
    const since = given.since ?? new Date(until.getTime() - usualDays * dayMs)
    if (since < earliest || until > latest) {
      throw new SignalboxError("bad_request", "since and until must be in the years 0001 to 9999, in UTC")
    }
    if (since >= until) throw new SignalboxError("bad_request", "since must be before until")
    const { environment, service = null } = given
    const figures = await oneOfFew(c.var.principal.tenant, () =>
      readAs(database, c.var.principal.tenant, (db) =>
        readDeliveryMetrics(db, { environment, service, since, until }),
      ),
    )
    const { releases, succeeded, failures, restored, timeToRestoreSeconds, ...changes } = figures
    const days = (until.getTime() - since.getTime()) / dayMs
    return c.json({
      environment,
      ...(service === null ? {} : { service }),
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

import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import type { SubscriptionAdmin, WebhookRow, WebhookStatus } from "../core/subscription.ts"
import { deleteConsumer } from "../store/durable-consumers.ts"
import { transaction, type Database } from "../store/database.ts"
import { forgiveWebhook, webhookHealth, type Health } from "../store/webhook-health.ts"
import { findWebhook, listWebhooks, lockWebhook, setWebhookStatus } from "../store/webhook-subscriptions.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { parseBody, parseQuery } from "./parse.ts"
import { subscriptionDeliveryRoutes } from "./subscription-deliveries.ts"
import { noSuchSubscription } from "./subscription-errors.ts"

const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.-]{0,62}$/,
    'has 1 to 63 letters, digits, "_", "-" and ".", and begins with a letter or digit',
  )

const wait = z.int().min(0).max(604_800)

const settings = z.strictObject({
  url: z.string().optional(),
  stream: z.string().min(1).max(200).optional(),
  filter: z.record(z.string(), z.unknown()).optional(),
  format: z.enum(["standard", "cloudevents"]).optional(),
  ordered: z.boolean().optional(),
  concurrency: z.int().min(1).max(256).optional(),
  ratePerSecond: z.number().min(0.01).max(100_000).nullable().optional(),
  timeoutMs: z.int().min(100).max(60_000).optional(),
  /** Seconds before the second attempt, the third, and so on. */
  retry: z.strictObject({ schedule: z.array(wait).max(50) }).optional(),
  payload: z
    .union(
      [z.enum(["all", "head"]), z.strictObject({ pick: z.array(z.string()).min(1).max(30) })],
      "must be all, head or {pick: [1 to 30 paths]}",
    )
    .optional(),
  /** Into how many it is dealt, by entity: so many processes may share it. */
  partitions: z.int().min(1).max(64).optional(),
})

export const newSubscription = settings.extend({
  name,
  url: z.string(),
  from: z
    .union([z.enum(["head", "earliest"]), z.int().min(0)], "must be head, earliest or a position")
    .optional(),
})

export const change = settings.refine((given) => Object.keys(given).length > 0, "say what to change")

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional(),
})

export const pause = z.strictObject({
  /** Whether what comes meanwhile is recorded as skipped; else it waits. */
  skip: z.boolean().default(false),
})

export const rotation = z.strictObject({
  /** For so long the secrets before it sign too. */
  overlapHours: z.number().min(0).max(720).default(24),
})

/** For answers that hold a secret. */
const notKept = { "cache-control": "no-store" }

export interface SubscriptionRouteOptions {
  database: Database
  subscriptions: SubscriptionAdmin
}

/** `/api/v1/subscriptions`: webhooks that events are sent to. A subscription is named by its id or its name. */
export function subscriptionRoutes({ database, subscriptions }: SubscriptionRouteOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  const { work } = database

  async function shown(row: WebhookRow) {
    const health = await webhookHealth(work, [row.id])
    return show(row, health.get(row.id))
  }

  async function setStatus(tenant: string, id: string, status: WebhookStatus) {
    const row = await transaction(work, async (db) => {
      const found = await lockWebhook(db, tenant, id)
      await setWebhookStatus(db, found.id, status)
      if (status === "active") await forgiveWebhook(db, found.id)
      return (await findWebhook(db, tenant, found.id)) ?? found
    })
    return shown(row)
  }

  app.get("/", async (c) => {
    const { limit, cursor } = parseQuery(c, page)
    const after = cursor === undefined ? null : decodeCursor(cursor, z.tuple([z.string()]))[0]
    const rows = await listWebhooks(work, c.var.principal.tenant, { limit, after })
    const health = await webhookHealth(
      work,
      rows.map(({ id }) => id),
    )
    const last = rows.length === limit ? rows.at(-1) : undefined
    return c.json({
      subscriptions: rows.map((row) => show(row, health.get(row.id))),
      nextCursor: last === undefined ? null : encodeCursor([last.name]),
    })
  })

  app.post("/", async (c) => {
    const request = withSchedule(await parseBody(c, newSubscription))
    const { row, secret } = await subscriptions.create(c.var.principal.tenant, request)
    return c.json({ ...show(row, undefined), secret }, 201, notKept)
  })

  app.get("/:id", async (c) => {
    const row = await findWebhook(work, c.var.principal.tenant, c.req.param("id"))
    if (row === undefined) throw noSuchSubscription(c.req.param("id"))
    return c.json(await shown(row))
  })

  app.patch("/:id", async (c) => {
    const request = withSchedule(await parseBody(c, change))
    return c.json(await shown(await subscriptions.edit(c.var.principal.tenant, c.req.param("id"), request)))
  })

  app.delete("/:id", async (c) => {
    await transaction(work, async (db) => {
      const { id } = await lockWebhook(db, c.var.principal.tenant, c.req.param("id"))
      await deleteConsumer(db, id)
    })
    return c.body(null, 204)
  })

  app.post("/:id/pause", async (c) => {
    const { skip } = await parseBody(c, pause, {})
    return c.json(await setStatus(c.var.principal.tenant, c.req.param("id"), skip ? "skipping" : "paused"))
  })

  app.post("/:id/resume", async (c) => {
    return c.json(await setStatus(c.var.principal.tenant, c.req.param("id"), "active"))
  })

  app.post("/:id/rotate-secret", async (c) => {
    const { overlapHours } = await parseBody(c, rotation, {})
    const seconds = Math.round(overlapHours * 3_600)
    const { row, secret } = await subscriptions.rotate(c.var.principal.tenant, c.req.param("id"), seconds)
    return c.json({ ...(await shown(row)), secret }, 200, notKept)
  })

  app.post("/:id/test", async (c) => {
    return c.json(await subscriptions.test(c.var.principal.tenant, c.req.param("id")))
  })

  app.route("/", subscriptionDeliveryRoutes(database))
  return app
}

function withSchedule<T extends { retry?: { schedule: number[] } | undefined }>({ retry, ...request }: T) {
  return { ...request, retrySchedule: retry?.schedule }
}

/** A subscription as the API shows it. */
export type ShownSubscription = ReturnType<typeof show>

function show(row: WebhookRow, health: Health | undefined) {
  const { retrySchedule, status, disabledReason, disabledAt, createdAt, updatedAt, ...rest } = row
  return {
    ...rest,
    retry: { schedule: retrySchedule },
    status: status === "skipping" ? "paused" : status,
    skips: status === "skipping",
    disabled:
      disabledReason === null ? null : { reason: disabledReason, at: disabledAt?.toISOString() ?? null },
    health: {
      failingSince: health?.failingSince?.toISOString() ?? null,
      failures: health?.failures ?? 0,
      lastSuccessAt: health?.lastSuccessAt?.toISOString() ?? null,
      lastFailureAt: health?.lastFailureAt?.toISOString() ?? null,
      lastError: health?.lastError ?? null,
    },
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}

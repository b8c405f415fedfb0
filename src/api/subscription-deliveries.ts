import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import type { WebhookRow, WebhookStatus } from "../core/subscription.ts"
import { isUuid } from "../core/uuid.ts"
import { readAs, type Database } from "../store/database.ts"
import {
  deliveryStatuses,
  findDelivery,
  listAttempts,
  listDeliveries,
  retryDeliveries,
  type DeliveryRow,
} from "../store/webhook-deliveries.ts"
import { findWebhook } from "../store/webhook-subscriptions.ts"
import { parseBody, parseQuery } from "./parse.ts"
import { noSuchSubscription } from "./subscription-errors.ts"

export const page = z.strictObject({
  status: z.enum(deliveryStatuses).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.uuid().optional(),
})

const statuses = ["dead", "skipped", "retrying"] as const

export const retry = z
  .strictObject({
    /** One event; without it, all of `status` whose event came in [since, until). */
    eventId: z.uuid().optional(),
    status: z.array(z.enum(statuses)).min(1).optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(
    ({ eventId, status, since, until }) =>
      eventId === undefined ? status !== undefined : (status ?? since ?? until) === undefined,
    `say one eventId, or the status of those meant: ${statuses.join(", ")}, with since and until`,
  )

const retryPageSize = 1_000

/** What became of events at a webhook subscription, and another try. */
export function subscriptionDeliveryRoutes(database: Database): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  const { work } = database

  async function find(tenant: string, id: string): Promise<WebhookRow> {
    const row = await findWebhook(work, tenant, id)
    if (row === undefined) throw noSuchSubscription(id)
    return row
  }

  app.get("/:id/deliveries", async (c) => {
    const { cursor, ...wanted } = parseQuery(c, page)
    const { id, tenant, status } = await find(c.var.principal.tenant, c.req.param("id"))
    const rows = await readAs(database, tenant, (db) =>
      listDeliveries(db, id, { ...wanted, status: wanted.status, before: cursor }),
    )
    const last = rows.length === wanted.limit ? rows.at(-1) : undefined
    return c.json({ deliveries: rows.map((row) => show(row, status)), nextCursor: last?.eventId ?? null })
  })

  app.get("/:id/deliveries/:eventId", async (c) => {
    const { id, tenant, status } = await find(c.var.principal.tenant, c.req.param("id"))
    const eventId = c.req.param("eventId")
    const delivery = isUuid(eventId)
      ? await readAs(database, tenant, (db) => findDelivery(db, id, eventId))
      : undefined
    if (delivery === undefined) {
      throw new SignalboxError("not_found", "this subscription has had no event of that id")
    }
    const attempts = await readAs(database, tenant, (db) => listAttempts(db, id, eventId))
    return c.json({
      ...show(delivery, status),
      attemptsMade: attempts.map(({ sentAt, ...attempt }) => ({ ...attempt, sentAt: sentAt.toISOString() })),
    })
  })

  app.post("/:id/retry", async (c) => {
    const { eventId, status, since, until } = await parseBody(c, retry)
    const { id } = await find(c.var.principal.tenant, c.req.param("id"))
    const selection = {
      statuses: status ?? statuses,
      eventId: eventId ?? null,
      since: since === undefined ? null : new Date(since),
      until: until === undefined ? null : new Date(until),
    }
    let retried = 0
    for (let after: string | null = null; ;) {
      const ids: string[] = await retryDeliveries(work, id, selection, { after, limit: retryPageSize })
      retried += ids.length
      if (ids.length < retryPageSize) break
      after = ids.at(-1) ?? null
    }
    if (eventId !== undefined && retried === 0) {
      throw new SignalboxError(
        "conflict",
        `only what is ${statuses.join(", ")} can be tried again, and this event is not so here`,
      )
    }
    return c.json({ retried }, 202)
  })

  return app
}

/** A delivery as the API shows it. */
export type ShownDelivery = ReturnType<typeof show>

function show(row: DeliveryRow, subscription: WebhookStatus) {
  const { nextAttemptAt, firstAttemptAt, finishedAt, ...delivery } = row
  const waits = delivery.status === "retrying" || delivery.status === "held"
  return {
    ...delivery,
    /** What has to happen before it is tried at all, whatever its time: a resume of the subscription. */
    waitsFor: waits && subscription !== "active" ? "subscription" : null,
    nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    firstAttemptAt: firstAttemptAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  }
}

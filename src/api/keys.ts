import { Hono } from "hono"
import { z } from "zod"
import { createKey } from "../auth/keys.ts"
import type { AuthEnv } from "../auth/middleware.ts"
import { scopes } from "../auth/scopes.ts"
import { SignalboxError } from "../core/errors.ts"
import { isUuid } from "../core/uuid.ts"
import { listApiKeys, revokeApiKey, updateKeyLimits, type ApiKeyRow } from "../store/api-keys.ts"
import type { Database } from "../store/database.ts"
import { managedTenant, mayManage } from "./managed-tenant.ts"
import { parseBody, parseQuery } from "./parse.ts"

const name = z
  .string()
  .min(1)
  .max(200)
  // PostgreSQL keeps neither in a text.
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "must hold no NUL and no lone surrogate")

const perSecond = z.number().positive().max(1_000_000).nullable().optional()
const limits = { requestsPerSecond: perSecond, eventsPerSecond: perSecond }

export const newKey = z.strictObject({
  ...limits,
  name,
  scopes: z.array(z.enum(scopes)).min(1),
  tenant: name.optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
})

export const change = z.strictObject(limits).refine((changes) => Object.keys(changes).length > 0, {
  message: "say what is to change: requestsPerSecond or eventsPerSecond",
})

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.uuid().optional(),
})

/** `/api/v1/keys`: make, list, limit and revoke API keys. Needs `admin`. */
export function keyRoutes(database: Database): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.post("/", async (c) => {
    const request = await parseBody(c, newKey)
    const tenant = request.tenant ?? c.var.principal.tenant
    if (!mayManage(c.var.principal, tenant)) {
      throw new SignalboxError("forbidden", "only SIGNALBOX_ADMIN_KEY makes keys for another tenant")
    }
    if (request.scopes.includes("metrics:read") && managedTenant(c.var.principal) !== null) {
      throw new SignalboxError(
        "forbidden",
        "metrics:read tells of all tenants: only SIGNALBOX_ADMIN_KEY makes such keys, or `signalbox keys create` at the database",
      )
    }
    const { key, row } = await createKey(database.work, {
      tenant,
      name: request.name,
      scopes: request.scopes,
      expiresAt: request.expiresAt === undefined ? null : new Date(request.expiresAt),
      limits: {
        requestsPerSecond: request.requestsPerSecond ?? null,
        eventsPerSecond: request.eventsPerSecond ?? null,
      },
    })
    return c.json({ ...show(row), key }, 201)
  })

  app.get("/", async (c) => {
    const { limit, cursor } = parseQuery(c, page)
    const rows = await listApiKeys(database.work, managedTenant(c.var.principal), {
      limit,
      before: cursor ?? null,
    })
    return c.json({ keys: rows.map(show), nextCursor: rows.length === limit ? rows.at(-1)!.id : null })
  })

  app.patch("/:id", async (c) => {
    const id = c.req.param("id")
    const { requestsPerSecond, eventsPerSecond } = await parseBody(c, change)
    const wanted = {
      ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
      ...(eventsPerSecond === undefined ? {} : { eventsPerSecond }),
    }
    const tenant = managedTenant(c.var.principal)
    const row = isUuid(id) ? await updateKeyLimits(database.work, tenant, id, wanted) : undefined
    if (row === undefined) throw unknown()
    return c.json(show(row))
  })

  app.delete("/:id", async (c) => {
    const id = c.req.param("id")
    const revoked = isUuid(id) && (await revokeApiKey(database.work, managedTenant(c.var.principal), id))
    if (!revoked) throw unknown()
    return c.body(null, 204)
  })

  return app
}

function unknown(): SignalboxError {
  return new SignalboxError("not_found", "no key in force has this id")
}

/** A key as the API shows it. */
export type ShownKey = ReturnType<typeof show>

function show(row: ApiKeyRow) {
  return {
    ...row,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  }
}

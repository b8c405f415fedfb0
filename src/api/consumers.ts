import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { transaction, type Database } from "../store/database.ts"
import { listConsumers, removeIdleConsumer, type ConsumerPlace } from "../store/durable-consumers.ts"
import { logHead } from "../store/log-pages.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { managedTenant } from "./managed-tenant.ts"
import { parseQuery } from "./parse.ts"

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(2048).optional(),
})

function placeIn(cursor: string): ConsumerPlace {
  const [name, tenant] = decodeCursor(cursor, z.tuple([z.string(), z.string()]))
  return { name, tenant }
}

/**
 * `/api/v1/consumers`: whatever keeps a place in the log, be it a handler, a named callback, a webhook or a group.
 * The first two have no other routes: one that no process runs any more is removed here. Needs `admin`.
 */
export function consumerRoutes({ work }: Pick<Database, "work">): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.get("/", async (c) => {
    const { limit, cursor } = parseQuery(c, page)
    const { principal } = c.var
    const after = cursor === undefined ? null : placeIn(cursor)
    const everybodys = managedTenant(principal) === null
    const found = await listConsumers(work, principal.tenant, { limit, after, everybodys })
    const head = await logHead(work)
    const last = found.length === limit ? found.at(-1) : undefined
    return c.json({
      consumers: found.map((one) => ({ ...one, lag: Math.max(0, head - one.position) })),
      nextCursor: last === undefined ? null : encodeCursor([last.name, last.tenant]),
    })
  })

  app.delete("/:name", async (c) => {
    const { principal } = c.var
    const everybodys = managedTenant(principal) === null
    await transaction(work, async (db) => {
      await removeIdleConsumer(db, principal.tenant, c.req.param("name"), { everybodys })
    })
    return c.body(null, 204)
  })

  return app
}

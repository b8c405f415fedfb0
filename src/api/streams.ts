import { Hono } from "hono"
import type { AuthEnv } from "../auth/middleware.ts"
import { readAs, type Database } from "../store/database.ts"
import { listStreams } from "../store/streams.ts"

/** `GET /api/v1/streams`: the streams that a tenant sees, built-in ones first. */
export function streamListRoutes(database: Database): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  app.get("/", async (c) => {
    const { tenant } = c.var.principal
    const streams = await readAs(database, tenant, (db) => listStreams(db, tenant))
    return c.json({
      streams: streams.map(({ name, filter, builtIn }) => ({ name, filter, builtIn })),
      nextCursor: null,
    })
  })
  return app
}

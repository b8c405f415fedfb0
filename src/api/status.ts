import { Hono, type Context, type Env } from "hono"
import { z } from "zod"
import { canonicalEntityKey } from "../core/entity-key.ts"
import { SignalboxError } from "../core/errors.ts"
import { entityStatus } from "../live/entity-status.ts"
import { isKnownEntity } from "../store/correlations.ts"
import { readAs, type Database } from "../store/database.ts"
import { parseQuery } from "./parse.ts"

const query = z.strictObject({ asOf: z.iso.datetime({ offset: true }).optional() })

/** `/api/v1/entities/:key/status`: how an issue, a pull request, a commit or a deployment stands, and where it is live. */
export function statusRoutes<E extends Env>(
  database: Database,
  tenantOf: (c: Context<E>) => string,
): Hono<E> {
  const app = new Hono<E>()
  app.get("/:key{.+}/status", async (c) => {
    const { asOf } = parseQuery(c, query)
    const tenant = tenantOf(c)
    const key = canonicalEntityKey(c.req.param("key"))
    if (key === null) {
      throw new SignalboxError("bad_request", "this is not an entity key such as linear:issue:ENG-123")
    }
    const status = await readAs(database, tenant, async (db) => {
      const found = await entityStatus(db, tenant, key, asOf === undefined ? null : new Date(asOf))
      const isFound = found.live.length + found.pending.length + found.pullRequests.length > 0
      if (isFound || (await isKnownEntity(db, tenant, key))) return found
      throw new SignalboxError("not_found", `nothing is known of ${key}`)
    })
    return c.json(status)
  })
  return app
}

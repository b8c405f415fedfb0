import { Hono, type Context, type Env } from "hono"
import { z } from "zod"
import { SignalboxError } from "../core/errors.ts"
import { entityStatus } from "../live/entity-status.ts"
import { unheardInWords, type Status } from "../live/status.ts"
import { isKnownEntity } from "../store/correlations.ts"
import { readAs, type Database } from "../store/database.ts"
import { keysOfThing } from "../store/explain.ts"
import { onlyMentionedBy } from "../store/only-mentioned.ts"
import { readThen } from "./first-heard.ts"
import { instant } from "./instant.ts"
import { mustBeKey } from "./must-be-key.ts"
import { parseQuery } from "./parse.ts"

const query = z.strictObject({ asOf: instant.optional() })

/** `/api/v1/entities/:key/status`: how an issue, a pull request, a commit or a deployment stands, and where it is live. */
export function statusRoutes<E extends Env>(
  database: Database,
  tenantOf: (c: Context<E>) => string,
): Hono<E> {
  const app = new Hono<E>()
  app.get("/:key{.+}/status", async (c) => {
    const { asOf } = parseQuery(c, query)
    const tenant = tenantOf(c)
    const key = mustBeKey(c.req.param("key"))
    const status = await readAs(database, tenant, async (db) => {
      const { firstHeardAt, ...found } = await readThen(
        db,
        { tenant, key, asOf },
        async (one) => ({ ...(await entityStatus(db, tenant, one, asOf ?? null)), entity: key }),
        ({ state, title, live }) => state === null && title === null && live.length === 0,
      )
      const isFound = found.live.length + found.pending.length + found.pullRequests.length > 0
      if (!isFound && !(await isKnownEntity(db, tenant, key))) {
        throw new SignalboxError("not_found", `nothing is known of ${key}`)
      }
      if (found.state !== null || found.title !== null) return found
      if (asOf !== undefined && firstHeardAt !== undefined) return unheard(key, asOf, firstHeardAt)
      const keys = await keysOfThing(db, tenant, key, null)
      const mentioning = await onlyMentionedBy(db, tenant, keys, asOf ?? null)
      return mentioning === null ? found : { ...found, onlyMentionedBy: mentioning }
    })
    return c.json(status)
  })
  return app
}

/** The status of what was heard of later than that: that it was not live would be no more than a guess. */
function unheard(entity: string, asOf: Date, firstHeardAt: Date): Status {
  const nothing = { title: null, state: null, live: [], pending: [], pullRequests: [] }
  return { entity, ...nothing, summary: unheardInWords(asOf, firstHeardAt), firstHeardAt }
}

import { Hono, type Context, type Env } from "hono"
import { z } from "zod"
import { entityStatus } from "../live/entity-status.ts"
import { isPullRequest } from "../live/load-changes.ts"
import { unheardInWords, type Status } from "../live/status.ts"
import { readAs, type Database } from "../store/database.ts"
import { keysOfThing } from "../store/explain.ts"
import { onlyMentionedBy } from "../store/only-mentioned.ts"
import { readThen } from "./first-heard.ts"
import { instant } from "./instant.ts"
import { mustBeKey } from "./must-be-key.ts"
import { mustKnow } from "./must-know.ts"
import { parseQuery } from "./parse.ts"

export const query = z.strictObject({ asOf: instant.optional() })

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
      if (found.state !== null || found.title !== null) return found
      if (!tellsOf(key, found)) await mustKnow(db, tenant, key)
      if (asOf !== undefined && firstHeardAt !== undefined) return unheard(key, asOf, firstHeardAt)
      const keys = await keysOfThing(db, tenant, key, null)
      const mentioning = await onlyMentionedBy(db, tenant, keys, asOf ?? null)
      return mentioning === null ? found : { ...found, onlyMentionedBy: mentioning }
    })
    return c.json(status)
  })
  return app
}

/**
 * Whether a status tells anything of its thing. Of a pull request that nobody has heard of it tells too that it
 * is one, not merged, and not live wherever its repository is deployed.
 */
function tellsOf(key: string, { live, pending, pullRequests }: Status): boolean {
  if (!isPullRequest(key)) return live.length + pending.length + pullRequests.length > 0
  const isNews = pullRequests.some(
    ({ entity, merged, revertedBy }) => entity !== key || merged || revertedBy !== null,
  )
  return isNews || live.length > 0
}

/** The status of what was heard of later than that: that it was not live would be no more than a guess. */
function unheard(entity: string, asOf: Date, firstHeardAt: Date): Status {
  const nothing = { title: null, state: null, live: [], pending: [], pullRequests: [] }
  return { entity, ...nothing, summary: unheardInWords(asOf, firstHeardAt), firstHeardAt }
}

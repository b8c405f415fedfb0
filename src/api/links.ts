import { Hono, type Context, type Env } from "hono"
import { z } from "zod"
import { canonicalEntityKey } from "../core/entity-key.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Explanation, ExplanationQuery } from "../core/explanation.ts"
import { maskRow } from "../core/mask.ts"
import { isKnownEntity } from "../store/correlations.ts"
import { readAs, type Database, type Db } from "../store/database.ts"
import { parseQuery } from "./parse.ts"

export interface LinkRouteOptions<E extends Env> {
  database: Database
  tenantOf: (c: Context<E>) => string
  explain: (db: Db, query: ExplanationQuery) => Promise<Explanation>
}

const pair = z.strictObject({
  from: z.string(),
  to: z.string(),
  asOf: z.iso.datetime({ offset: true }).optional(),
})

/** `/api/v1/links/explain?from=&to=[&asOf=]`: why two entities are linked, or why not. */
export function linkRoutes<E extends Env>({ database, tenantOf, explain }: LinkRouteOptions<E>): Hono<E> {
  const app = new Hono<E>()
  app.get("/explain", async (c) => {
    const query = parseQuery(c, pair)
    const from = readKey(query.from, "from")
    const to = readKey(query.to, "to")
    if (from === to) throw new SignalboxError("bad_request", "from and to are the same entity")
    const asOf = query.asOf === undefined ? null : new Date(query.asOf)
    const tenant = tenantOf(c)
    const explanation = await readAs(database, tenant, async (db) => {
      for (const entity of [from, to]) {
        if (await isKnownEntity(db, tenant, entity)) continue
        throw new SignalboxError("not_found", `nothing is known of ${entity}`)
      }
      return explain(db, { tenant, from, to, asOf })
    })
    // What is read anew of a body has not gone through the masking of what is stored.
    return c.body(maskRow(JSON.stringify(explanation)), 200, { "content-type": "application/json" })
  })
  return app
}

function readKey(text: string, name: string): string {
  const key = canonicalEntityKey(text)
  if (key !== null) return key
  throw new SignalboxError("bad_request", `${name}: not an entity key such as linear:issue:ENG-123`)
}

import { Hono, type Context, type Env } from "hono"
import { z } from "zod"
import { SignalboxError } from "../core/errors.ts"
import type { Explanation, ExplanationQuery } from "../core/explanation.ts"
import { maskRow } from "../core/mask.ts"
import type { ShownRule } from "../core/shown-rule.ts"
import { isKnownEntity } from "../store/correlations.ts"
import { readAs, type Database, type Db } from "../store/database.ts"
import { fewAtOnce } from "./few-at-once.ts"
import { instant } from "./instant.ts"
import { mustBeKey } from "./must-be-key.ts"
import { parseQuery } from "./parse.ts"

export interface LinkRouteOptions<E extends Env> {
  database: Database
  tenantOf: (c: Context<E>) => string
  explain: (db: Db, query: ExplanationQuery) => Promise<Explanation>
  /** The rules that run, in their order. */
  rules: () => readonly ShownRule[]
}

// An address cut off at its `#` has only one of the two.
const end = z.string("is missing; in an address # is %23")
export const pair = z.strictObject({ from: end, to: end, asOf: instant.optional() })

/**
 * `/api/v1/links/explain?from=&to=[&asOf=]`: why two entities are linked, or why not. `/api/v1/links/rules`: the
 * rules by which this process explains.
 */
export function linkRoutes<E extends Env>({
  database,
  tenantOf,
  explain,
  rules,
}: LinkRouteOptions<E>): Hono<E> {
  const app = new Hono<E>()
  // Each holds a connection for as long as it reads events anew, at worst for a second.
  const oneOfFew = fewAtOnce({ what: "explanations", instead: "ask for one at a time", waitMs: 10_000 })
  app.get("/rules", (c) => {
    parseQuery(c, z.strictObject({}))
    return c.json({ rules: rules() })
  })
  app.get("/explain", async (c) => {
    const query = parseQuery(c, pair)
    const from = mustBeKey(query.from, "from")
    const to = mustBeKey(query.to, "to")
    if (from === to) throw new SignalboxError("bad_request", "from and to are the same entity")
    const asOf = query.asOf ?? null
    const tenant = tenantOf(c)
    const { signal } = c.req.raw
    const explanation = await oneOfFew(tenant, () =>
      readAs(database, tenant, async (db) => {
        if (signal.aborted) throw new SignalboxError("bad_request", "nobody waits for the answer any more")
        // Of one that is known it can be said why it is tied to nothing of that name.
        if (!(await isKnownEntity(db, tenant, from)) && !(await isKnownEntity(db, tenant, to))) {
          throw new SignalboxError("not_found", `nothing is known of ${from}, nor of ${to}`)
        }
        return explain(db, { tenant, from, to, asOf, signal })
      }),
    )
    // What is read anew of a body has not gone through the masking of what is stored.
    return c.body(maskRow(JSON.stringify(explanation)), 200, { "content-type": "application/json" })
  })
  return app
}

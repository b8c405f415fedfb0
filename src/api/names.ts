import { Hono, type Context, type Env } from "hono"
import { z } from "zod"
import { readEntityName, type EntityFromUrl } from "../core/entity-name.ts"
import { readAs, type Database } from "../store/database.ts"
import { findEntity } from "../store/find-entity.ts"
import { parseQuery } from "./parse.ts"

export interface NameRouteOptions<E extends Env> {
  database: Database
  tenantOf: (c: Context<E>) => string
  entityFromUrl: EntityFromUrl
}

export const query = z.strictObject({
  name: z
    .string(
      "is missing: give a thing as people call it, such as ENG-123, acme/api#42 (in an address # is %23), a commit or a web address",
    )
    .max(4096),
})

/** `/api/v1/entities?name=`: the key of what people call `ENG-123`, `acme/api#42`, `4f2a1c9` or by an address. */
export function nameRoutes<E extends Env>({
  database,
  tenantOf,
  entityFromUrl,
}: NameRouteOptions<E>): Hono<E> {
  const app = new Hono<E>()
  app.get("/", async (c) => {
    const name = readEntityName(parseQuery(c, query).name, entityFromUrl)
    const tenant = tenantOf(c)
    return c.json({ key: await readAs(database, tenant, (db) => findEntity(db, tenant, name)) })
  })
  return app
}

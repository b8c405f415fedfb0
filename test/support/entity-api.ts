import { Hono } from "hono"
import { entityRoutes } from "../../src/api/entities.ts"
import { statusRoutes } from "../../src/api/status.ts"
import type { Database } from "../../src/store/database.ts"
import { quietProblems } from "./quiet-problems.ts"

/** All that is answered below `/api/v1/entities` of a tenant's things. */
export function entityApi(database: Database, tenant: string): Hono {
  const app = quietProblems(new Hono())
  const tenantOf = () => tenant
  app.route("/api/v1/entities", statusRoutes(database, tenantOf))
  app.route("/api/v1/entities", entityRoutes(database, tenantOf))
  return app
}

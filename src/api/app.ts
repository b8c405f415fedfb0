import type { HttpBindings } from "@hono/node-server"
import { Hono, type Env } from "hono"
import type { Authenticate } from "../auth/authenticate.ts"
import { requireScope, type AuthEnv } from "../auth/middleware.ts"
import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import type { Database } from "../store/database.ts"
import { completenessRoutes, sourceCompletenessRoutes, type CompletenessOptions } from "./completeness.ts"
import { deadLetterRoutes, type DeadLetterOptions } from "./dead-letters.ts"
import { deliveryMetricRoutes } from "./delivery-metrics.ts"
import { entityRoutes } from "./entities.ts"
import { eventRoutes } from "./events.ts"
import { healthRoutes } from "./health.ts"
import { keyRoutes } from "./keys.ts"
import { linkRoutes, type LinkRouteOptions } from "./links.ts"
import { metricRoutes } from "./metrics.ts"
import { problemHandlers } from "./problem.ts"
import { sourceRoutes, type SourceRouteOptions } from "./sources.ts"
import { statusRoutes } from "./status.ts"
import { streamListRoutes } from "./streams.ts"
import { submitRoute, type Submit } from "./submit.ts"

/** What the app serves; a part that this process does not play is absent. */
export interface AppOptions {
  log: Log
  database: Database
  authenticate: Authenticate
  clock: Clock
  unready: () => string[]
  /** Webhook routes, with their paths from the root. */
  webhooks?: Hono<{ Bindings: HttpBindings }> | undefined
  submit?: Submit | undefined
  /** Stream routes, with their paths from the root; they find the principal in their context. */
  streams?: Hono<AppEnv> | undefined
  /** The query API and administration. */
  api?:
    | (Pick<DeadLetterOptions, "retry"> &
        Pick<SourceRouteOptions, "sources"> &
        Pick<CompletenessOptions, "completeness"> &
        Pick<LinkRouteOptions<Env>, "explain">)
    | undefined
}

/** What every route finds: Node's own request and response, and who asks. */
export type AppEnv = AuthEnv & { Bindings: HttpBindings }

/** The whole HTTP surface of a process. Every error leaves as a problem (RFC 9457). */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { log, database, authenticate, clock, webhooks, submit, streams, api } = options
  const app = new Hono<AppEnv>()
  const { onError, notFound } = problemHandlers(log)
  app.onError(onError)
  app.notFound(notFound)

  app.route("/", healthRoutes({ db: database.work, unready: options.unready }))
  if (webhooks) app.route("/", webhooks)

  if (streams) {
    app.use("/api/v1/events/stream", requireScope(authenticate, "streams:read"))
    app.use("/api/v1/streams/:name/sse", requireScope(authenticate, "streams:read"))
    app.route("/", streams)
  }
  if (submit) {
    app.post("/api/v1/events", requireScope(authenticate, "events:write"))
    app.post("/api/v1/deployments", requireScope(authenticate, "events:write"))
    app.route("/api/v1/events", submitRoute(submit, "custom"))
    app.route("/api/v1/deployments", submitRoute(submit, "deployment"))
  }
  if (api) {
    app.get("/api/v1/events", requireScope(authenticate, "events:read"))
    app.get("/api/v1/events/:id", requireScope(authenticate, "events:read"))
    app.get("/api/v1/events/:id/raw", requireScope(authenticate, "events:raw"))
    app.use("/api/v1/entities/*", requireScope(authenticate, "events:read"))
    app.use("/api/v1/links/*", requireScope(authenticate, "events:read"))
    app.use("/api/v1/streams", requireScope(authenticate, "events:read"))
    app.use("/api/v1/metrics", requireScope(authenticate, "events:read"))
    app.use("/api/v1/metrics/delivery", requireScope(authenticate, "events:read"))
    app.use("/api/v1/completeness", requireScope(authenticate, "events:read"))
    for (const path of ["/api/v1/keys", "/api/v1/dead-letters", "/api/v1/sources"]) {
      app.use(path, requireScope(authenticate, "admin"))
      app.use(`${path}/*`, requireScope(authenticate, "admin"))
    }
    app.route("/api/v1/events", eventRoutes(database))
    app.route(
      "/api/v1/entities",
      statusRoutes<AuthEnv & Env>(database, (c) => c.var.principal.tenant),
    )
    app.route(
      "/api/v1/entities",
      entityRoutes<AuthEnv & Env>(database, (c) => c.var.principal.tenant),
    )
    app.route(
      "/api/v1/links",
      linkRoutes<AuthEnv & Env>({ database, tenantOf: (c) => c.var.principal.tenant, explain: api.explain }),
    )
    app.route("/api/v1/streams", streamListRoutes(database))
    app.route("/api/v1/metrics", metricRoutes(database, clock))
    app.route("/api/v1/metrics/delivery", deliveryMetricRoutes(database, clock))
    app.route("/api/v1/keys", keyRoutes(database))
    app.route("/api/v1/sources", sourceRoutes({ database, sources: api.sources }))
    app.route("/api/v1/sources", sourceCompletenessRoutes({ database, completeness: api.completeness }))
    app.route("/api/v1/completeness", completenessRoutes({ database, completeness: api.completeness }))
    app.route("/api/v1/dead-letters", deadLetterRoutes({ database, retry: api.retry }))
  }
  return app
}

import type { HttpBindings } from "@hono/node-server"
import { Hono, type Env } from "hono"
import { cors } from "hono/cors"
import { createAllowances } from "../auth/allowances.ts"
import type { Authenticate } from "../auth/authenticate.ts"
import { provideAllowances, requireScope, requireStreamAccess, type AuthEnv } from "../auth/middleware.ts"
import { createStreamTokens } from "../auth/stream-tokens.ts"
import type { Clock } from "../core/clock.ts"
import type { Components } from "../core/component.ts"
import type { EntityFromUrl } from "../core/entity-name.ts"
import type { Log } from "../core/log.ts"
import type { AskStreams } from "../core/stream-question.ts"
import type { Groups } from "../groups/create-groups.ts"
import type { Database } from "../store/database.ts"
import { completenessRoutes, sourceCompletenessRoutes, type CompletenessOptions } from "./completeness.ts"
import { compressLarge } from "./compress.ts"
import { connectionRoutes } from "./connections.ts"
import { consumerRoutes } from "./consumers.ts"
import { consumerGroupRoutes } from "./consumer-groups.ts"
import { deadLetterRoutes, type DeadLetterOptions } from "./dead-letters.ts"
import { deliveryMetricRoutes } from "./delivery-metrics.ts"
import { documentationRoutes, type Documented } from "./documentation.ts"
import { entityRoutes } from "./entities.ts"
import { eventRoutes } from "./events.ts"
import { groupMemberRoutes } from "./group-members.ts"
import { groupReplayRoutes } from "./group-replays.ts"
import { healthRoutes } from "./health.ts"
import { keyRoutes } from "./keys.ts"
import { linkRoutes, type LinkRouteOptions } from "./links.ts"
import { metricRoutes } from "./metrics.ts"
import { nameRoutes } from "./names.ts"
import { natsMetricRoutes, type NatsMetrics } from "./nats-metrics.ts"
import { servedElsewhere, type ServingRole } from "./paths-of-roles.ts"
import { problemHandlers } from "./problem.ts"
import type { ProcessFigures } from "./prometheus/process-figures.ts"
import type { Prometheus } from "./prometheus/prometheus.ts"
import { replayRoutes, type ReplayRouteOptions } from "./replays.ts"
import { sourceRoutes, type SourceRouteOptions } from "./sources.ts"
import { statusRoutes } from "./status.ts"
import { streamAdminRoutes } from "./streams.ts"
import { submitRoute, type Submit } from "./submit.ts"
import { subscriptionRoutes, type SubscriptionRouteOptions } from "./subscriptions.ts"

/** What the app serves; a part that this process does not play is absent. */
export interface AppOptions {
  log: Log
  database: Database
  authenticate: Authenticate
  clock: Clock
  /** Origins of pages that may use the API from a browser. */
  corsOrigins: readonly string[]
  unready: () => string[]
  /** What the documentation tells of. */
  documented: Documented
  /** How the parts of this process do. */
  components: Components
  /** What `/metrics` tells. */
  metrics?: { prometheus: Prometheus; figures: ProcessFigures } | undefined
  /** Where NATS is used. */
  nats?: NatsMetrics | undefined
  /** Webhook routes, with their paths from the root. */
  webhooks?: Hono<{ Bindings: HttpBindings }> | undefined
  submit?: Submit | undefined
  /** Stream routes, with their paths from the root; they find the principal in their context. */
  streams?: Hono<AppEnv> | undefined
  /** What serves the members of consumer groups. */
  groups?: Groups | undefined
  /** The query API and administration. */
  api?:
    | (Pick<DeadLetterOptions, "retry"> &
        Pick<SourceRouteOptions, "sources"> &
        Pick<SubscriptionRouteOptions, "subscriptions"> &
        Pick<ReplayRouteOptions, "replays"> &
        Pick<CompletenessOptions, "completeness"> &
        Pick<LinkRouteOptions<Env>, "explain" | "rules"> & {
          entityFromUrl: EntityFromUrl
          askStreams: AskStreams
        })
    | undefined
}

/** What every route finds: Node's own request and response, and who asks. */
export type AppEnv = AuthEnv & { Bindings: HttpBindings }

/** The whole HTTP surface of a process. Every error leaves as a problem (RFC 9457). */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { log, database, authenticate, clock, webhooks, submit, streams, api } = options
  const app = new Hono<AppEnv>()
  const streamTokens = createStreamTokens(database.work)
  const { onError, notFound } = problemHandlers(log)
  app.onError(onError)
  const roles = rolesOf(options)
  app.notFound((c) => {
    const elsewhere = servedElsewhere(c.req.method, c.req.path, roles)
    return elsewhere === undefined ? notFound(c) : onError(elsewhere, c)
  })
  if (options.corsOrigins.length > 0) {
    const allowHeaders = "authorization,content-type,idempotency-key,last-event-id,x-signalbox-tenant".split(
      ",",
    )
    const origin = options.corsOrigins.includes("*") ? "*" : [...options.corsOrigins]
    app.use("/api/*", cors({ origin, allowHeaders, exposeHeaders: ["retry-after"], maxAge: 600 }))
  }

  const { unready, nats, components, metrics } = options
  app.route("/", healthRoutes({ db: database.work, unready, components }))
  app.route("/", documentationRoutes(options.documented))
  if (metrics) app.route("/", metrics.prometheus.routes(authenticate, metrics.figures))
  if (webhooks) app.route("/", webhooks)

  app.use("/api/*", provideAllowances(createAllowances()))
  if (streams) {
    const mayOpen = requireStreamAccess(authenticate, streamTokens)
    app.use("/api/v1/events/stream", mayOpen)
    app.use("/api/v1/streams/:name/sse", mayOpen)
    app.use("/api/v1/streams/:name/ws", mayOpen)
    app.route("/", streams)
  } else {
    app.get("/api/v1/events/stream", (c) => c.notFound()) // and no event of the id `stream`
  }
  if (options.groups) {
    const mayConsume = requireScope(authenticate, "groups:consume")
    app.use("/api/v1/consumer-groups/:name/members", mayConsume)
    app.use("/api/v1/consumer-groups/:name/members/*", mayConsume)
    app.route("/api/v1/consumer-groups", groupMemberRoutes(options.groups, authenticate, log))
    app.route("/api/v1/consumer-groups", groupReplayRoutes(database, options.groups))
  }
  if (submit) {
    app.post("/api/v1/events", requireScope(authenticate, "events:write"))
    app.post("/api/v1/deployments", requireScope(authenticate, "events:write"))
    app.route("/api/v1/events", submitRoute(submit, "custom"))
    app.route("/api/v1/deployments", submitRoute(submit, "deployment"))
  }
  if (nats) {
    // Whatever its roles, a process alone knows of its connection.
    app.use("/api/v1/metrics/nats", requireScope(authenticate, "events:read"))
    app.route("/api/v1/metrics/nats", natsMetricRoutes(database, nats))
  }
  if (api) {
    app.get("/api/v1/events/*", compressLarge())
    app.get("/api/v1/entities/*", compressLarge())
    app.get("/api/v1/events", requireScope(authenticate, "events:read"))
    app.get("/api/v1/events/:id", requireScope(authenticate, "events:read"))
    app.get("/api/v1/events/:id/raw", requireScope(authenticate, "events:raw"))
    app.use("/api/v1/entities/*", requireScope(authenticate, "events:read"))
    app.use("/api/v1/links/*", requireScope(authenticate, "events:read"))
    app.use("/api/v1/metrics", requireScope(authenticate, "events:read"))
    app.use("/api/v1/metrics/delivery", requireScope(authenticate, "events:read"))
    app.use("/api/v1/completeness", requireScope(authenticate, "events:read"))
    for (const path of [
      "/api/v1/keys",
      "/api/v1/dead-letters",
      "/api/v1/sources",
      "/api/v1/subscriptions",
      "/api/v1/replays",
      "/api/v1/connections",
      "/api/v1/consumers",
    ]) {
      app.use(path, requireScope(authenticate, "admin"))
      app.use(`${path}/*`, requireScope(authenticate, "admin"))
    }
    app.route("/api/v1/events", eventRoutes(database))
    app.route(
      "/api/v1/entities",
      nameRoutes<AuthEnv & Env>({
        database,
        tenantOf: (c) => c.var.principal.tenant,
        entityFromUrl: api.entityFromUrl,
      }),
    )
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
      linkRoutes<AuthEnv & Env>({
        database,
        tenantOf: (c) => c.var.principal.tenant,
        explain: api.explain,
        rules: api.rules,
      }),
    )
    app.route("/api/v1/streams", streamAdminRoutes({ database, authenticate, tokens: streamTokens }))
    app.route("/api/v1/connections", connectionRoutes(api.askStreams))
    app.route("/api/v1/consumers", consumerRoutes(database))
    app.route("/api/v1/consumer-groups", consumerGroupRoutes({ database, authenticate }))
    app.route("/api/v1/metrics", metricRoutes(database, clock))
    app.route("/api/v1/metrics/delivery", deliveryMetricRoutes(database, clock))
    app.route("/api/v1/keys", keyRoutes(database))
    app.route("/api/v1/sources", sourceRoutes({ database, sources: api.sources }))
    app.route("/api/v1/sources", sourceCompletenessRoutes({ database, completeness: api.completeness }))
    app.route("/api/v1/completeness", completenessRoutes({ database, completeness: api.completeness }))
    app.route("/api/v1/subscriptions", subscriptionRoutes({ database, subscriptions: api.subscriptions }))
    app.route("/api/v1/replays", replayRoutes({ database, replays: api.replays }))
    app.route("/api/v1/dead-letters", deadLetterRoutes({ database, retry: api.retry }))
  }
  return app
}

function rolesOf({ webhooks, streams, api }: AppOptions): Set<ServingRole> {
  const roles = new Set<ServingRole>()
  if (webhooks) roles.add("ingest")
  if (streams) roles.add("stream")
  if (api) roles.add("api")
  return roles
}

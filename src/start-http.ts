import { createApp, type AppEnv } from "./api/app.ts"
import type { Completeness } from "./api/completeness.ts"
import { listen, type HttpServer } from "./api/http-server.ts"
import type { Prometheus } from "./api/prometheus/prometheus.ts"
import { createAuthenticator } from "./auth/authenticate.ts"
import type { Config } from "./config.ts"
import { clientAddress } from "./core/client-address.ts"
import type { Clock } from "./core/clock.ts"
import type { Components } from "./core/component.ts"
import type { Log } from "./core/log.ts"
import { createNetworks } from "./core/networks.ts"
import type { Platform } from "./core/platform.ts"
import type { SourceAdmin } from "./core/source-admin.ts"
import type { Correlation } from "./correlation/correlation.ts"
import { createExplain } from "./correlation/explain.ts"
import { showRule } from "./correlation/show-rule.ts"
import { documented } from "./describe-routes.ts"
import type { Groups } from "./groups/create-groups.ts"
import type { Ingest } from "./ingest/ingest.ts"
import { retryPublished } from "./outbox/retry-dead-letter.ts"
import { entityFromUrl } from "./platforms/entity-from-url.ts"
import { retryDeadLetter } from "./processing/retry-dead-letter.ts"
import { subscriptionAdmin } from "./start-delivery.ts"
import type { StartedNats } from "./start-nats.ts"
import { replayAdmin } from "./start-replays.ts"
import { transaction, type Database } from "./store/database.ts"
import { retryDeadDelivery, type DeadLetter } from "./store/dead-letters.ts"
import type { Enqueue } from "./store/enqueue.ts"
import { usualMaxClients } from "./streaming/admission.ts"
import type { Streaming } from "./streaming/streaming.ts"

/** What a port is opened for. */
export interface HttpParts {
  config: Config
  platforms: readonly Platform[]
  correlation: Correlation
  clock: Clock
  log: Log
  database: Database
  ingest: Ingest
  streaming: Streaming
  sourceAdmin: SourceAdmin
  completeness: Completeness
  groups: Groups | undefined
  nats: StartedNats | undefined
  enqueue: Enqueue
  components: Components
  prometheus: Prometheus
}

const drainMs = 10_000
/** Connections beside those of the streams that there may be. */
const forRequests = 5_000

/**
 * Opens the port with what the roles of this process serve, until `stack` is disposed. A process that serves
 * nothing, a worker, opens one only where it was told which, and for probes and figures alone.
 */
export async function startHttp(
  stack: AsyncDisposableStack,
  parts: HttpParts,
): Promise<HttpServer | undefined> {
  const { config, platforms, correlation, clock, log, database, ingest, streaming } = parts
  const { roles } = config
  const serves = roles.has("ingest") || roles.has("stream") || roles.has("api")
  if (!serves && !config.isPortGiven) return undefined
  const nats = parts.nats && { ...parts.nats.metrics, streaming: () => streaming.feed.byTail }
  const proxies = createNetworks(config.trustedProxies)
  let closing = false
  const app = createApp({
    log: log.child({ part: "http" }),
    database,
    clock,
    authenticate: createAuthenticator({ db: database.work, adminKey: config.adminKey }),
    corsOrigins: config.corsOrigins,
    unready: () => (closing ? ["shutdown"] : []),
    documented,
    components: parts.components,
    metrics: {
      prometheus: parts.prometheus,
      figures: {
        roles: [...roles],
        components: parts.components,
        pools: { work: database.work, read: database.read },
        streams: roles.has("stream") ? streaming.connections.stats : undefined,
        nats,
      },
    },
    nats,
    webhooks: roles.has("ingest") ? ingest.routes : undefined,
    submit: roles.has("ingest") ? ingest.submitRequest : undefined,
    groups: parts.groups,
    streams: roles.has("stream")
      ? streaming.routes<AppEnv>((c) => ({
          ...c.var.principal,
          allowance: c.var.allowance.events,
          address: clientAddress(
            c.env.incoming.socket.remoteAddress,
            c.req.header("x-forwarded-for"),
            proxies.has,
          ),
        }))
      : undefined,
    api: roles.has("api")
      ? {
          retry: (letter) => retryWork(database, parts.enqueue, letter),
          sources: parts.sourceAdmin,
          subscriptions: subscriptionAdmin({ database, config, clock }),
          replays: replayAdmin(database),
          completeness: parts.completeness,
          askStreams: streaming.askAll,
          explain: createExplain(platforms, correlation),
          rules: () => correlation.rules().map(showRule),
          entityFromUrl: entityFromUrl(platforms),
        }
      : undefined,
  })
  const { host, port, streamLimits } = config
  const maxConnections = (streamLimits.maxClients ?? usualMaxClients) + forRequests
  const server = await listen(app.fetch, { host, port, maxConnections })
  stack.defer(async () => {
    closing = true
    const closed = server.close(drainMs)
    await Promise.all([streaming.connections.stop(), parts.groups?.stop()]) // what is held open would hold the server for ever
    await closed
  })
  return server
}

/** Each kind of work is done anew by whom it failed at. */
async function retryWork(database: Database, enqueue: Enqueue, letter: DeadLetter): Promise<boolean> {
  if (letter.kind === "processing") {
    return transaction(database.work, (db) => retryDeadLetter(db, enqueue, letter.id))
  }
  if (letter.kind === "outbox") return transaction(database.work, (db) => retryPublished(db, letter.id))
  return retryDeadDelivery(database.work, letter.tenant, letter.id)
}

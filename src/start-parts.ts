import { timelineNotes } from "./actions/timeline-notes.ts"
import { createApp, type AppEnv } from "./api/app.ts"
import type { CompletenessOptions } from "./api/completeness.ts"
import { listen, type HttpServer } from "./api/http-server.ts"
import { createAuthenticator } from "./auth/authenticate.ts"
import { createFirstAdminKey } from "./auth/keys.ts"
import type { Config } from "./config.ts"
import type { ConsumerDefinition } from "./consumers/definition.ts"
import type { Clock } from "./core/clock.ts"
import type { Log } from "./core/log.ts"
import type { Platform } from "./core/platform.ts"
import type { RunningSources } from "./core/source.ts"
import type { Correlation } from "./correlation/correlation.ts"
import { createExplain } from "./correlation/explain.ts"
import { showRule } from "./correlation/show-rule.ts"
import type { EventMaps } from "./event-maps.ts"
import type { Groups } from "./groups/create-groups.ts"
import type { Handlers } from "./handlers/create-handlers.ts"
import { createHeartbeat } from "./ingest/heartbeat.ts"
import { createIngest, type Ingest } from "./ingest/ingest.ts"
import { createRelay } from "./outbox/relay.ts"
import { retryPublished } from "./outbox/retry-dead-letter.ts"
import { retryDeadLetter } from "./processing/retry-dead-letter.ts"
import { entityFromUrl } from "./platforms/entity-from-url.ts"
import { createProcessor } from "./processing/processor.ts"
import { installQueue } from "./queue/install.ts"
import { createQueue } from "./queue/queue.ts"
import type { SourceSettings } from "./sources/standing-sources.ts"
import type { ReconcileOptions } from "./reconcile/options.ts"
import { startDeliveries, subscriptionAdmin } from "./start-delivery.ts"
import { startGroups } from "./start-groups.ts"
import { startHandlers } from "./start-handlers.ts"
import { startNats, type StartedNats } from "./start-nats.ts"
import { completenessOf, startReconciler } from "./start-reconcile.ts"
import { replayAdmin, startReplays } from "./start-replays.ts"
import { startRules } from "./start-rules.ts"
import { startSources, type StartedSources } from "./start-sources.ts"
import { checkSessions, openDatabase, transaction, type Database } from "./store/database.ts"
import type { DeadLetter } from "./store/dead-letters.ts"
import { retryDeadDelivery } from "./store/deliveries.ts"
import type { Enqueue } from "./store/enqueue.ts"
import { startEmbedded } from "./store/embedded/start-embedded.ts"
import { createMaintenance } from "./store/maintenance.ts"
import { migrate } from "./store/migrate.ts"
import { createStreaming, type Streaming } from "./streaming/streaming.ts"

export interface PartsOptions {
  config: Config
  platforms: readonly Platform[]
  correlation: Correlation
  handlers: Handlers<EventMaps>
  sources: readonly SourceSettings[]
  reconcile?: ReconcileOptions | undefined
  log: Log
  clock: Clock
  /** Told the admin key that is made where an embedded database has none; without it none is made. */
  onFirstAdminKey?: ((key: string) => void) | undefined
  /** Told when the hub cannot go on, and why. */
  onFatal: (reason: string) => void
}

/** The parts of a hub that runs. */
export interface Parts extends StartedSources {
  database: Database
  ingest: Ingest
  streaming: Streaming
  server: HttpServer | undefined
}

const drainMs = 10_000

/**
 * Starts every part that the roles of this process ask for, each pushed on `stack` so that they end
 * in the opposite order: first what takes work in, last the database.
 */
export async function startParts(stack: AsyncDisposableStack, options: PartsOptions): Promise<Parts> {
  const { config, platforms, correlation, onFirstAdminKey, log, clock } = options
  const url = await databaseUrl(stack, options)
  await migrate(url)
  await installQueue(url)
  const database = openDatabase({ url })
  stack.defer(() => database.close())
  await checkSessions(database)

  const keepsTime = config.roles.has("worker")
  const queue = createQueue({ url, log: log.child({ part: "queue" }), keepsTime })
  await queue.start()
  stack.defer(() => queue.stop())
  const { sources, sourceAdmin } = await startSources(stack, {
    ...options,
    database,
    log: log.child({ part: "sources" }),
  })
  const nats = await startNats(stack, { config, database, log: log.child({ part: "nats" }) })
  const streaming = createStreaming({
    database,
    serves: config.roles.has("stream"),
    tail: nats?.tail,
    log: log.child({ part: "streaming" }),
  })
  streaming.start()
  stack.defer(() => streaming.stop())

  if (config.roles.has("worker")) {
    await startRules(database.work, correlation, log.child({ part: "correlation" }))
    const maintenance = createMaintenance({
      db: database.work,
      onError: (error) => log.error({ part: "maintenance", err: error }, "partitions could not be made yet"),
    })
    maintenance.start()
    stack.use(maintenance)
    const processor = createProcessor({
      database,
      queue,
      platforms,
      correlate: correlation.correlate,
      clock,
      log: log.child({ part: "processing" }),
    })
    await processor.start()
    stack.defer(() => processor.stop())
  }
  const ingest = createIngest({
    databaseUrl: url,
    platforms,
    sources,
    jobStatements: queue.jobStatements,
    log: log.child({ part: "ingest" }),
    clock,
  })
  stack.defer(() => ingest.close())
  if (config.roles.has("worker")) {
    const { handlers } = options
    const part = log.child({ part: "handlers" })
    const { feed } = streaming
    const actions = actionsOf(options, database, sources)
    const consumers = await startHandlers(stack, {
      handlers,
      database,
      ingest,
      feed,
      actions,
      clock,
      log: part,
    })
    await startDeliveries(stack, { database, config, consumers, clock, log: log.child({ part: "delivery" }) })
    startReplays(stack, { database, clock, log: log.child({ part: "replays" }) })
    const { submit } = ingest
    const relay = createRelay({ database, submit, log: log.child({ part: "outbox" }) })
    await relay.start()
    stack.defer(() => relay.stop())
    startReconciler(stack, {
      database,
      queue,
      sources,
      platforms,
      ingest,
      log: log.child({ part: "reconcile" }),
      options: options.reconcile,
    })
  }

  const completeness = completenessOf({ database, queue, sources, platforms, clock })
  if (config.roles.has("ingest")) {
    const part = log.child({ part: "heartbeat" })
    const heartbeat = createHeartbeat({ databaseUrl: url, sources: sources.list, clock, log: part })
    await heartbeat.start()
    stack.use(heartbeat)
  }
  const parts = { database, ingest, streaming, sources, sourceAdmin }
  const { feed, definitions } = streaming
  const groups = startGroups(stack, config, { database, feed, definitions, log })
  const server = await serveHttp(stack, options, { ...parts, completeness, groups, nats }, queue.enqueue)
  if (config.databaseUrl === undefined && !config.adminKey && onFirstAdminKey !== undefined) {
    // Last, because a key made by a start that then fails would never be seen by anybody.
    const key = await createFirstAdminKey(database.work)
    if (key !== null) onFirstAdminKey(key)
  }
  return { ...parts, server }
}

function actionsOf(
  { config, platforms, clock }: PartsOptions,
  { work: pool }: Database,
  sources: RunningSources,
): ConsumerDefinition[] {
  const { publicUrl, timelineNotes: on } = config
  if (publicUrl === undefined || on.size === 0) return []
  return [timelineNotes({ pool, platforms, sources, publicUrl, on, clock })]
}

/** Each kind of work is done anew by whom it failed at. */
async function retryWork(database: Database, enqueue: Enqueue, letter: DeadLetter): Promise<boolean> {
  if (letter.kind === "processing") {
    return transaction(database.work, (db) => retryDeadLetter(db, enqueue, letter.id))
  }
  if (letter.kind === "outbox") return transaction(database.work, (db) => retryPublished(db, letter.id))
  return retryDeadDelivery(database.work, letter.tenant, letter.id)
}

async function databaseUrl(
  stack: AsyncDisposableStack,
  { config, log, onFatal }: PartsOptions,
): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl
  const part = log.child({ part: "postgres" })
  const server = await startEmbedded({
    dataDir: config.dataDir,
    log: (message) => part.info({}, message),
    onState: (state, reason) => {
      if (state !== "failed") return
      part.error({ reason }, "the embedded PostgreSQL cannot be brought back")
      onFatal(reason)
    },
  })
  stack.use(server)
  return server.url
}

async function serveHttp(
  stack: AsyncDisposableStack,
  { config, platforms, correlation, clock, log }: PartsOptions,
  {
    database,
    ingest,
    streaming,
    sourceAdmin,
    completeness,
    groups,
    nats,
  }: Omit<Parts, "server"> &
    Pick<CompletenessOptions, "completeness"> & { groups: Groups | undefined; nats: StartedNats | undefined },
  enqueue: Enqueue,
): Promise<HttpServer | undefined> {
  const { roles } = config
  if (!roles.has("ingest") && !roles.has("stream") && !roles.has("api")) return undefined
  let closing = false
  const app = createApp({
    log: log.child({ part: "http" }),
    database,
    clock,
    authenticate: createAuthenticator({ db: database.work, adminKey: config.adminKey }),
    corsOrigins: config.corsOrigins,
    unready: () => (closing ? ["shutdown"] : []),
    nats: nats && { ...nats.metrics, streaming: () => streaming.feed.byTail },
    webhooks: roles.has("ingest") ? ingest.routes : undefined,
    submit: roles.has("ingest") ? ingest.submitRequest : undefined,
    groups,
    streams: roles.has("stream")
      ? streaming.routes<AppEnv>((c) => ({ ...c.var.principal, allowance: c.var.allowance.events }))
      : undefined,
    streamState: roles.has("stream") ? streaming.connections.feedState : undefined,
    api: roles.has("api")
      ? {
          retry: (letter) => retryWork(database, enqueue, letter),
          sources: sourceAdmin,
          subscriptions: subscriptionAdmin({ database, config, clock }),
          replays: replayAdmin(database),
          completeness,
          askStreams: streaming.askAll,
          explain: createExplain(platforms, correlation),
          rules: () => correlation.rules().map(showRule),
          entityFromUrl: entityFromUrl(platforms),
        }
      : undefined,
  })
  const server = await listen(app.fetch, config)
  stack.defer(async () => {
    closing = true
    const closed = server.close(drainMs)
    await Promise.all([streaming.connections.stop(), groups?.stop()]) // what is held open would hold the server for ever
    await closed
  })
  return server
}

import { timelineNotes } from "./actions/timeline-notes.ts"
import type { HttpServer } from "./api/http-server.ts"
import { createPrometheus, type Prometheus } from "./api/prometheus/prometheus.ts"
import { createFirstAdminKey } from "./auth/keys.ts"
import type { Config } from "./config.ts"
import type { ConsumerDefinition } from "./consumers/definition.ts"
import type { Clock } from "./core/clock.ts"
import type { ComponentState } from "./core/component.ts"
import type { Log } from "./core/log.ts"
import type { Platform } from "./core/platform.ts"
import type { RunningSources } from "./core/source.ts"
import type { Correlation } from "./correlation/correlation.ts"
import type { EventMaps } from "./event-maps.ts"
import type { Handlers } from "./handlers/create-handlers.ts"
import { createHeartbeat } from "./ingest/heartbeat.ts"
import { createIngest, type Ingest } from "./ingest/ingest.ts"
import { createRelay } from "./outbox/relay.ts"
import { createProcessor } from "./processing/processor.ts"
import { installQueue } from "./queue/install.ts"
import { createQueue } from "./queue/queue.ts"
import { queueNames } from "./queue/queues.ts"
import type { SourceSettings } from "./sources/standing-sources.ts"
import type { ReconcileOptions } from "./reconcile/options.ts"
import { startDeliveries } from "./start-delivery.ts"
import { startGroups } from "./start-groups.ts"
import { startHandlers } from "./start-handlers.ts"
import { startHttp } from "./start-http.ts"
import { startNats } from "./start-nats.ts"
import { completenessOf, startReconciler } from "./start-reconcile.ts"
import { startReplays } from "./start-replays.ts"
import { startRules } from "./start-rules.ts"
import { startSources, type StartedSources } from "./start-sources.ts"
import { checkSessions, createPool, openDatabase, type Database } from "./store/database.ts"
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
  const components = new Map<string, () => ComponentState>()
  const prometheus = startPrometheus(stack, url, log.child({ part: "metrics" }))

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
    ...config.streamLimits,
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
      onProcessed: (events) => events.forEach(prometheus.count),
    })
    components.set("queue", queue.state).set("processing", processor.state)
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
    const delivery = { database, config, consumers, clock, log: log.child({ part: "delivery" }) }
    components.set("handlers", consumers.state).set("deliveries", await startDeliveries(stack, delivery))
    startReplays(stack, { database, clock, log: log.child({ part: "replays" }) })
    const { submit } = ingest
    const relay = createRelay({ database, submit, log: log.child({ part: "outbox" }) })
    await relay.start()
    stack.defer(() => relay.stop())
    const reconciling = startReconciler(stack, {
      database,
      queue,
      sources,
      platforms,
      ingest,
      log: log.child({ part: "reconcile" }),
      options: options.reconcile,
    })
    components.set("outbox", relay.state).set("reconciler", reconciling)
  }
  if (config.roles.has("stream")) components.set("streams", () => stateOf(streaming))
  if (nats) components.set("nats", nats.state)

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
  const { enqueue } = queue
  const shown = { components, prometheus }
  const server = await startHttp(stack, {
    ...options,
    ...parts,
    ...shown,
    completeness,
    groups,
    nats,
    enqueue,
  })
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

function stateOf({ connections }: Streaming): ComponentState {
  const state = connections.feedState()
  return state === "away" ? { state, problem: "the log cannot be read; open streams wait" } : { state }
}

/**
 * Its figures are read over connections that give up in time: when they are wanted most, the others are busy. Whether
 * the database answers is asked over one of its own, since figures of a slow one are long in coming. The server gives
 * up first: a statement whose connection is broken runs on, beside the next one.
 */
function startPrometheus(stack: AsyncDisposableStack, url: string, log: Log): Prometheus {
  const open = (name: string, statementMs: number, queryTimeoutMs: number) => {
    const settings = { statement_timeout: String(statementMs) }
    const pool = createPool(url, { role: "signalbox_worker", max: 1, name, queryTimeoutMs, settings })
    stack.defer(() => pool.end())
    return pool
  }
  const [db, probe] = [open("metrics", 10_000, 15_000), open("metrics probe", 2_000, 3_000)]
  return createPrometheus({ db, probe, queues: queueNames, log })
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

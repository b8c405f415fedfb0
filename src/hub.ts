import type { NoteTarget } from "./actions/timeline-notes.ts"
import { loadConfig, type Config, type Role } from "./config.ts"
import { systemClock, type Clock } from "./core/clock.ts"
import { SignalboxError } from "./core/errors.ts"
import { parseFilter } from "./core/filter.ts"
import { createLog, maskedLog, type Log } from "./core/log.ts"
import type { Source } from "./core/source.ts"
import { parsePayload } from "./core/payload.ts"
import { uuidv7 } from "./core/uuid.ts"
import { createCorrelation } from "./correlation/correlation.ts"
import { loadRules } from "./correlation/load-rules.ts"
import type { RuleDefinition } from "./correlation/rule.ts"
import { handledPlatforms, knownNames, type EventMaps } from "./event-maps.ts"
import { createHandlers, type Handlers } from "./handlers/create-handlers.ts"
import { publish, publishBatch } from "./outbox/publish.ts"
import { custom } from "./platforms/custom/index.ts"
import { platforms } from "./platforms/index.ts"
import type { SourceSettings } from "./sources/standing-sources.ts"
import type { ReconcileOptions } from "./reconcile/options.ts"
import { startParts, type Parts } from "./start-parts.ts"
import type { StreamedEvent } from "./streaming/streamed-event.ts"

/** What a hub is made with. Whatever is left out comes from the environment (see README). */
export interface HubOptions {
  /** PostgreSQL 15 or later; null runs the embedded one whatever the environment says. */
  databaseUrl?: string | null
  /** Folder of the embedded PostgreSQL (`.signalbox`). */
  dataDir?: string
  /** Where to listen; 0 takes any free port. */
  port?: number
  host?: string
  roles?: readonly Role[]
  adminKey?: string
  /** Address of the hub as people reach it, for the links that it posts. */
  publicUrl?: string
  /** Posts the link to a timeline once in a Slack thread, or on a pull request or issue, that are tied (nowhere). */
  timelineNotes?: readonly NoteTarget[]
  /** Modules that export rules of your own; one of the name of a built-in rule takes its place. */
  ruleFiles?: readonly string[]
  /** Secrets of the default sources by platform. */
  secrets?: Readonly<Record<string, readonly string[]>>
  /** Sources besides the default ones, each at `/webhooks/<platform>/<name>`. */
  sources?: readonly SourceSettings[]
  /** How sources are checked against their providers' records. */
  reconcile?: ReconcileOptions
  log?: Log
  clock?: Clock
  /**
   * Told the admin key that a start on an embedded database makes where there is none: nobody else ever
   * sees it. Without this no key is made; `signalbox keys create` makes one at any time.
   */
  onFirstAdminKey?: (key: string) => void
  /** Told when the hub cannot go on, and why: whoever runs it should stop it and end. */
  onFatal?: (reason: string) => void
  env?: Readonly<Record<string, string | undefined>>
}

/** What a submission became: `duplicate` where its key was known. */
export interface Submitted {
  eventId: string
  duplicate: boolean
}

export interface SubmitOptions {
  tenant?: string
  /** The same key gives the same event; made up where absent. */
  idempotencyKey?: string
}

export interface StreamOptions {
  tenant?: string
  /** Position after which to begin; news only by default. */
  after?: number | "earliest" | "latest"
  /** See README, filters. */
  filter?: unknown
  signal?: AbortSignal
}

type Handling = Handlers<EventMaps>["platforms"] & Pick<Handlers<EventMaps>, "on" | "register" | "subscribe">

/**
 * The hub: everything that signalbox does, in one process. Handlers are registered under the names of
 * their platforms (`hub.github.event`), by type (`hub.on`), or as a class's methods (`hub.register`);
 * they run in the processes that have the role `worker`.
 */
export interface Hub extends AsyncDisposable, Handling {
  /** Rules of your own that tie entities together; add them before `start`. */
  correlation: {
    rule(definition: RuleDefinition): void
    /** Those that were added, and after `start` those of the files too. */
    rules(): { name: string; version: number }[]
  }
  /** Resolves when the hub is ready for requests. Repeated calls give the same promise. */
  start(): Promise<void>
  /** Finishes what is under way and ends. Repeated calls give the same promise. */
  stop(): Promise<void>
  /** Events of a stream as they come, from a position on; of several as one by names and patterns (`deploys.*`). */
  stream(topics: string | readonly string[], options?: StreamOptions): AsyncIterable<StreamedEvent>
  submitCustomEvent(event: object, options?: SubmitOptions): Promise<Submitted>
  submitDeploymentEvent(deployment: object, options?: SubmitOptions): Promise<Submitted>
  /**
   * Publishes a custom event within the caller's own transaction: it happens if and only if that
   * commits. `tx` is whatever runs a query there (a client of pg). Answers the event's delivery key;
   * throws `bad_request` for what is no custom event, and writes nothing then.
   */
  publish: typeof publish
  /** The same for many events by one statement: all of them happen, in their order, or none does. */
  publishBatch: typeof publishBatch
  /** What it does, see docs/many-machines.md. */
  readonly roles: readonly Role[]
  /** Where it listens, once it has started and if its roles need that. */
  readonly url: string | undefined
  sources(): readonly Source[]
}

/** Makes a hub. Throws `configuration` in one line for what is malformed; nothing runs before `start`. */
export function createHub(options: HubOptions = {}): Hub {
  const config = configOf(options)
  const log = options.log === undefined ? createLog(config.logLevel) : maskedLog(options.log)
  const clock = options.clock ?? systemClock
  const correlation = createCorrelation({ platforms, log: log.child({ part: "correlation" }) })
  const handlers = createHandlers<EventMaps>({ platforms: handledPlatforms, known: knownNames })
  const stack = new AsyncDisposableStack()
  let parts: Parts | undefined
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  async function start(): Promise<void> {
    try {
      correlation.use(await loadRules(options.ruleFiles ?? config.ruleFiles))
      const { sources = [], reconcile, onFirstAdminKey, onFatal = () => {} } = options
      const own = { config, platforms, correlation, handlers, sources, reconcile, log, clock }
      parts = await startParts(stack, { ...own, onFirstAdminKey, onFatal })
    } catch (error) {
      await stack.disposeAsync()
      throw error
    }
  }

  async function stop(): Promise<void> {
    await starting?.catch(() => {})
    await stack.disposeAsync()
  }

  function running(): Parts {
    if (parts === undefined || stopping !== undefined) {
      throw new SignalboxError("unavailable", "the hub is not running: await hub.start() first")
    }
    return parts
  }

  async function submit(platform: "custom" | "deployment", body: object, wanted: SubmitOptions) {
    const { eventId, duplicate, conflict } = await running().ingest.submit({
      platform,
      tenant: wanted.tenant ?? "default",
      source: "hub",
      body: Buffer.from(JSON.stringify(body)),
      contentType: "application/json",
      headers: { "idempotency-key": wanted.idempotencyKey ?? uuidv7() },
    })
    if (conflict) {
      throw new SignalboxError("conflict", `event ${eventId} has the same key and another body`)
    }
    return { eventId, duplicate }
  }

  const stopOnce = (): Promise<void> => (stopping ??= stop())

  return {
    ...handlers.platforms,
    on: handlers.on,
    register: handlers.register,
    subscribe: handlers.subscribe,
    correlation: {
      rule: correlation.rule,
      rules: () => correlation.ownRules().map(({ name, version }) => ({ name, version })),
    },
    start: () => (starting ??= start()),
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
    stream(topics, { tenant = "default", after, filter, signal } = {}) {
      return running().streaming.streamEvents(topics, {
        tenant,
        after,
        filter: filter === undefined ? undefined : parseFilter(filter),
        signal,
      })
    },
    submitCustomEvent: (event, wanted = {}) => submit("custom", event, wanted),
    submitDeploymentEvent: (deployment, wanted = {}) => submit("deployment", deployment, wanted),
    async publish(tx, event, wanted) {
      checkCustomEvent(event) // the relay could only make a dead letter of it
      return publish(tx, event, wanted)
    },
    async publishBatch(tx, events, wanted) {
      events.forEach(checkCustomEvent)
      return publishBatch(tx, events, wanted)
    },
    roles: [...config.roles],
    get url() {
      return parts?.server?.url
    },
    sources: () => running().sources.list(),
  }
}

function checkCustomEvent(event: object): void {
  const body = Buffer.from(JSON.stringify(event))
  const contentType = "application/json"
  const headers = { "idempotency-key": "none" }
  custom.identify(
    { headers, contentType, payload: parsePayload(body, contentType), receivedAt: new Date() },
    body,
  )
}

/** Options are checked as the variables that they stand for are, and come before those. */
function configOf(options: HubOptions): Config {
  const { databaseUrl, dataDir, port, host, adminKey, publicUrl } = options
  const given = {
    DATABASE_URL: databaseUrl === null ? "" : databaseUrl,
    SIGNALBOX_DATA_DIR: dataDir,
    PORT: port?.toString(),
    HOST: host,
    SIGNALBOX_ADMIN_KEY: adminKey,
    SIGNALBOX_ROLES: options.roles?.join(","),
    SIGNALBOX_PUBLIC_URL: publicUrl,
    SIGNALBOX_TIMELINE_NOTES: options.timelineNotes?.join(","),
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  const env = { ...(options.env ?? process.env), ...Object.fromEntries(present) }
  return loadConfig(env, platforms, options.secrets)
}

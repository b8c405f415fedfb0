import type { Pool } from "pg"
import { createWaker } from "../consumers/waker.ts"
import type { Consumer, Consumers } from "../consumers/create-consumers.ts"
import type { Clock } from "../core/clock.ts"
import { createStanding, type ComponentState } from "../core/component.ts"
import { parseFilter } from "../core/filter.ts"
import type { Log } from "../core/log.ts"
import type { Sealing } from "../core/sealing.ts"
import type { WebhookRow } from "../core/subscription.ts"
import { compileHeadSelection, compileSelection } from "../core/selection.ts"
import { streamSelection } from "../core/stream-definition.ts"
import { findStream } from "../store/streams.ts"
import { listenForWebhookChanges } from "../store/webhook-changes.ts"
import { noteHealth } from "../store/webhook-health.ts"
import { webhookSecrets, type WebhookSecretRow } from "../store/webhook-secrets.ts"
import { webhookById, webhookVersion, workingWebhooks } from "../store/webhook-subscriptions.ts"
import type { PublishAlert } from "./alert.ts"
import { disable } from "./disable.ts"
import { createEndpoint, type Endpoint } from "./endpoint.ts"
import type { Guard } from "./guard.ts"
import { createHealthBook, type HealthBook } from "./health.ts"
import { createRenderBody } from "./render-body.ts"
import { createSharedRests } from "./share-rests.ts"
import { signingKey, type SigningKey } from "./sign.ts"
import { tellGap } from "./tell-gap.ts"

export interface DeliveriesOptions {
  pool: Pool
  databaseUrl: string
  consumers: Pick<Consumers, "deliver">
  sealing: Sealing
  guard: Guard
  /** Publishes an event within a transaction. */
  publish: PublishAlert
  clock: Clock
  log: Log
  random?: () => number
  /** Milliseconds between two looks for changes of which no hint came (2,000). */
  pollMs?: number
  /** After so long of nothing but failures a subscription is disabled (five days). */
  disableAfterMs?: number
}

/** The webhooks that this process sends. */
export interface Deliveries {
  /** Begins to work on what there is, and follows changes. Rejects where they cannot be read. Idempotent. */
  start(): Promise<void>
  /** Hands back what runs, and ends. Idempotent. */
  stop(): Promise<void>
  /** How the following of changes goes; the sending stands on the consumers. */
  state(): ComponentState
}

interface Entry {
  /** What it was made of: another text is another endpoint. */
  text: string
  /** Why the receiver wants nothing any more, from its saying so until the subscription is disabled. */
  gone: string | undefined
  tenant: string
  consumer: Consumer
  endpoint: Endpoint
  health: HealthBook
}

const day = 86_400_000
const fewestFailures = 10

/** Makes the deliveries of a process; nothing happens before `start`. */
export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { pool, databaseUrl, consumers, sealing, guard, publish, clock, log } = options
  const { random = Math.random, pollMs = 2_000, disableAfterMs = 5 * day } = options
  const entries = new Map<string, Entry>()
  const turns = new Map<string, Promise<void>>()
  const render = createRenderBody()
  const waker = createWaker()
  const standing = createStanding("changes to subscriptions cannot be read; what is known stays in force")
  const undisabled = new Set<string>() // those of which it was told that it failed
  const rests = createSharedRests(pool, () =>
    [...entries].map(([id, { endpoint }]) => [id, endpoint] as const),
  )
  let version: number | undefined
  let looksAgainAt = Infinity // when a secret ends
  const ending = new AbortController()
  let started: Promise<void> | undefined
  let working: Promise<void> | undefined
  let stopped: Promise<void> | undefined

  /** Begins to bring about what has changed, and answers what is under way. */
  async function sync(): Promise<Promise<void>[]> {
    // Read first: what changes while the rows are read is read again at the next look.
    const newest = await webhookVersion(pool)
    const now = clock()
    if (newest === version && now.getTime() < looksAgainAt) return []
    const rows = await workingWebhooks(pool)
    const ids = rows.map(({ id }) => id)
    const secrets = Map.groupBy(await webhookSecrets(pool, ids, now), (secret) => secret.subscriptionId)
    const kept = new Set(ids)
    const gone = [...entries.keys()].filter((id) => !kept.has(id))
    const begun = [
      ...gone.map((id) => inTurn(id, () => drop(id))),
      ...rows.map((row) => inTurn(row.id, () => bring(row, secrets.get(row.id) ?? []))),
    ]
    const ends = [...secrets.values()].flat().map(({ expiresAt }) => expiresAt?.getTime() ?? Infinity)
    looksAgainAt = Math.min(Infinity, ...ends)
    version = newest
    return begun
  }

  /** One that takes long to end, since its receiver is slow, keeps no other waiting. */
  function inTurn(id: string, body: () => Promise<void>): Promise<void> {
    const turn = (turns.get(id) ?? Promise.resolve()).then(body).catch((error: unknown) => {
      log.warn({ err: error, subscription: id }, "a subscription could not be brought up to date yet")
      version = undefined
    })
    turns.set(id, turn)
    void turn.then(() => turns.get(id) === turn && turns.delete(id))
    return turn
  }

  async function bring(row: WebhookRow, secrets: readonly WebhookSecretRow[]): Promise<void> {
    const stream = await findStream(pool, row.tenant, row.stream)
    const text = JSON.stringify([row, secrets.map(({ id }) => id), stream?.filter, stream?.routes])
    if (entries.get(row.id)?.text === text) return
    await drop(row.id)
    const keys = await openKeys(row, secrets)
    if (stream === undefined || keys.length === 0) {
      const { id, name, tenant } = row
      if ((await webhookById(pool, id)) === undefined) return // it was removed while its secrets were read
      const why = stream === undefined ? `there is no stream ${row.stream}` : "none of its secrets opens"
      log.error({ subscription: id, name, tenant }, `webhooks are not sent: ${why}`)
      return
    }
    const selection = { all: [streamSelection(stream), parseFilter(row.filter)] }
    const matches = compileSelection(selection)
    const health = createHealthBook(row)
    const onGone = (reason: string) => {
      entry.gone ??= reason
      waker.wake()
    }
    const onRest = () => {
      rests.note(row.id)
      waker.wake()
    }
    const endpoint = createEndpoint({
      subscription: row,
      keys,
      matches,
      render,
      guard,
      clock,
      random,
      health,
      onGone,
      onRest,
    })
    const consumer = consumers.deliver({
      id: row.id,
      name: row.name,
      tenant: row.tenant,
      kind: "webhook",
      stream: row.stream,
      matches,
      mayWant: compileHeadSelection(selection),
      attempt: endpoint.attempt,
      onGap: (db, gap) => tellGap(publish, db, row, gap),
      gate: endpoint.gate,
      width: row.concurrency,
      ordered: row.ordered,
      skips: row.status === "skipping",
    })
    const entry: Entry = { text, gone: undefined, tenant: row.tenant, consumer, endpoint, health }
    entries.set(row.id, entry)
  }

  async function openKeys(row: WebhookRow, secrets: readonly WebhookSecretRow[]): Promise<SigningKey[]> {
    const opened = secrets.map(async (secret) => {
      const value = await sealing.open(secret, { id: secret.id, ownerId: row.id })
      return value === undefined ? [] : [signingKey(secret.id, value)]
    })
    return (await Promise.all(opened)).flat()
  }

  async function drop(id: string): Promise<void> {
    const entry = entries.get(id)
    if (entry === undefined) return
    entries.delete(id)
    entry.endpoint.gate.shut()
    await entry.consumer.remove()
    await entry.endpoint.close()
  }

  /** Whether it is disabled, or need not be any more. */
  async function turnOff(id: string, url: string, reason: string): Promise<boolean> {
    try {
      await disable({ pool, publish, log }, { id, url }, reason)
      undisabled.delete(id)
      return true
    } catch (error) {
      if (!undisabled.has(id)) {
        log.error({ err: error, subscription: id }, "a subscription could not be disabled yet")
      }
      undisabled.add(id)
      return false
    }
  }

  /** Disables those whose receivers want nothing any more, in each pass until it is done. */
  async function turnOffGone(): Promise<void> {
    for (const [id, entry] of entries) {
      if (entry.gone === undefined || !(await turnOff(id, entry.endpoint.url, entry.gone))) continue
      // Its gate stays shut: should somebody have resumed it meanwhile, its row is what it was before.
      entry.gone = undefined
      entry.text = ""
      version = undefined
    }
  }

  async function writeHealth(): Promise<void> {
    const now = clock()
    const books = [...entries.values()].flatMap(({ health }) => {
      const note = health.take(now)
      return note === undefined ? [] : [{ health, note }]
    })
    if (books.length === 0) return
    try {
      const known = await noteHealth(
        pool,
        books.map(({ note }) => note),
      )
      for (const { subscriptionId, failingSince, failures, lastError } of known) {
        if (failingSince === null || failures < fewestFailures) continue
        if (now.getTime() - failingSince.getTime() < disableAfterMs) continue
        const reason = `nothing but failures since ${failingSince.toISOString()}: ${lastError ?? "unknown"}`
        const url = books.find(({ note }) => note.subscriptionId === subscriptionId)?.note.url
        if (url !== undefined) await turnOff(subscriptionId, url, reason)
      }
    } catch (error) {
      for (const { health, note } of books) health.untake(note)
      throw error
    }
  }

  async function work(): Promise<void> {
    const changes = listenForWebhookChanges(databaseUrl, waker.wake)
    let failing = false
    while (!ending.signal.aborted) {
      await waker.sleep(pollMs)
      if (ending.signal.aborted) break
      try {
        await turnOffGone()
        void (await sync()) // what is slow to end keeps nothing waiting
        await writeHealth()
        await rests.exchange()
        failing = false
        standing.well()
      } catch (error) {
        standing.ill()
        if (!failing)
          log.warn({ err: error }, "changes to subscriptions cannot be read; what is known stays in force")
        failing = true
      }
    }
    await changes.close()
    await writeHealth().catch(() => {})
  }

  async function start(): Promise<void> {
    await Promise.all(await sync())
    working = work()
  }

  async function stop(): Promise<void> {
    await started?.catch(() => {})
    ending.abort()
    waker.wake()
    await working
    await Promise.all(turns.values())
    await Promise.all([...entries.keys()].map(drop))
  }

  return {
    start: () => (started ??= start()),
    stop: () => (stopped ??= stop()),
    state: standing.state,
  }
}

import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { systemClock, type Clock } from "../core/clock.ts"
import { createStanding, type ComponentState } from "../core/component.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { removeMember } from "../store/consumer-leases.ts"
import { registerConsumer } from "../store/consumers.ts"
import type { Database } from "../store/database.ts"
import { checkDefinition } from "./check-definition.ts"
import type { ConsumerDefinition } from "./definition.ts"
import type { DeliveryDefinition } from "./delivery-definition.ts"
import { entryKey, recordOf, toEntry, type Entry } from "./entry.ts"
import { startFollower, type Follower, type FollowOptions } from "./follow.ts"
import { createLeaseKeeper } from "./lease-keeper.ts"
import { createLedger } from "./ledger.ts"
import { createLogWindow, type EventPlace, type ReadLog, type ReadWanted } from "./log-window.ts"
import { createOneAtATime } from "./one-at-a-time.ts"
import { startPartitionWorker } from "./partition-worker.ts"
import { within } from "./within.ts"
import { createWaker } from "./waker.ts"
import type { AnyDefinition } from "./worker-services.ts"

export interface ConsumersOptions {
  database: Pick<Database, "work">
  /** Reads the log, a bounded stretch at a time; all consumers together read each once. */
  read: ReadLog
  /** The same for one consumer that lags behind the others. */
  readWanted?: ReadWanted
  /** Whether the log still has an event where it was read; false where the log was set back. */
  holds?: (place: EventPlace) => Promise<boolean>
  log: Log
  clock?: Clock
  /** Chance, 0 up to 1, for the jitter of retries. */
  random?: () => number
  /** Tells of the log until what it answers is called; asked once somebody listens. */
  onNews?: (listener: LogListener) => () => void
  /** Name of this process among those that run consumers; unique for each start. */
  member?: string
  /** After so long without a sign of life others take this process's partitions over (10,000). */
  leaseMs?: number
  /** Between two signs of life, which is also how often the log is polled (1,000). */
  beatMs?: number
  /** How long a stop waits for what runs (10,000). */
  drainMs?: number
}

/** Told what becomes of the log. */
export interface LogListener {
  /** It may have grown. */
  advance(): void
  /** It was set back (a restore, a standby that lacked the last events): places of before mean nothing any more. */
  setBack(): void
}

/** A consumer as this process runs it. */
export interface Consumer {
  /** Resolves when it is registered: every later event of the log is its. Rejects where it cannot be. */
  ready: Promise<void>
  /** Stops it in this process; its cursor stays, and another process may go on. Idempotent. */
  remove(): Promise<void>
}

/** The consumers of one process: whatever runs once for each event, durably. */
export interface Consumers {
  /** Adds a consumer; it runs from the start on, or at once after it. Throws where it makes no sense. */
  add(definition: ConsumerDefinition): Consumer
  /** The same for a consumer that is stored already. */
  deliver(definition: DeliveryDefinition): Consumer
  /** Hands events to somebody who keeps no place in the log, from now on or after a position. */
  follow(options: FollowOptions): Follower
  /** Says that the log may have grown. A hint: without it, the next beat finds out. */
  wake(): void
  state(): ComponentState
  /** Registers what was added, and runs it. Rejects where something cannot be registered. Idempotent. */
  start(): Promise<void>
  /** Finishes what runs within the drain time, gives everything back, and stops. Idempotent. */
  stop(): Promise<void>
}

const graceMs = 5_000

/** Makes the consumers of a process; nothing happens before `start`. */
export function createConsumers(options: ConsumersOptions): Consumers {
  const { database, read, log, clock = systemClock, random = Math.random } = options
  const { leaseMs = 10_000, beatMs = 1_000, drainMs = 10_000 } = options
  if (leaseMs < 2 * beatMs) {
    throw new SignalboxError(
      "configuration",
      "leaseMs must be at least twice beatMs, or leases lapse between beats",
    )
  }
  const member = options.member ?? `${hostname()}/${process.pid}/${randomBytes(4).toString("hex")}`
  const pool = database.work
  const entries = new Map<string, Entry>()
  const running = new Map<string, Entry>() // by subscription id
  const followers = new Set<Follower>()
  const heart = createWaker()
  const begun = Promise.withResolvers<void>()
  let deafen: (() => void) | undefined
  let started: Promise<void> | undefined
  let beating: Promise<void> | undefined
  let stopped: Promise<void> | undefined
  const ended = new AbortController()

  const keeper = createLeaseKeeper({
    pool,
    member,
    leaseMs,
    log,
    subscriptions: () => [...running.keys()],
    startWorker(lease) {
      const entry = running.get(lease.subscriptionId)
      return entry && startPartitionWorker(lease, entry.definition, entry.policy, services)
    },
  })
  const ledger = createLedger(pool, clock)
  const oneSuspectAtATime = createOneAtATime()
  const { readWanted, holds } = options
  const window = createLogWindow(read, { readWanted, holds, onSetBack: startOver })
  const services = {
    pool,
    ledger,
    read: window.read,
    checkLog: window.check,
    clock,
    random,
    log,
    alive: keeper.alive,
    oneSuspectAtATime,
  }

  function register(entry: Entry): Promise<void> {
    return (entry.registering ??= registerNow(entry))
  }

  async function registerNow(entry: Entry): Promise<void> {
    const { definition, ready } = entry
    try {
      const id = "attempt" in definition ? definition.id : await registerConsumer(pool, recordOf(definition))
      entry.id = id
      if (entries.get(entryKey(definition)) === entry && stopped === undefined) {
        running.set(id, entry)
        listen()
      }
      ready.resolve()
      heart.wake()
    } catch (error) {
      log.error({ err: error, consumer: definition.name }, "a consumer could not be registered")
      ready.reject(error)
      throw error
    }
  }

  function listen(): void {
    deafen ??= stopped === undefined ? options.onNews?.({ advance: wake, setBack }) : undefined
  }

  function wake(): void {
    window.refresh()
    keeper.wake()
    for (const follower of followers) follower.wake()
  }

  function setBack(): void {
    window.clear()
    startOver()
  }

  function startOver(): void {
    log.error({ member }, "the log was set back; consumers go on from what the database says")
    keeper.startOver(new Error("the log was set back"))
    for (const follower of followers) follower.startOver()
  }

  const standing = createStanding("leases cannot be renewed: whatever stands on them waits")

  async function beatOn(): Promise<void> {
    let failing = false
    while (!ended.signal.aborted) {
      try {
        await keeper.beat()
        if (failing) log.info({ member }, "consumers go on")
        failing = false
        standing.well()
      } catch (error) {
        if (!failing) log.error({ err: error, member }, "consumers wait: their leases cannot be renewed")
        failing = true
        standing.ill()
      }
      wake() // the poll of the log, and the start of what waited for the leases to be good again
      await heart.sleep(beatMs)
    }
  }

  async function start(): Promise<void> {
    for (const entry of entries.values()) await register(entry)
    begun.resolve()
    if (followers.size > 0) listen()
    beating = beatOn()
  }

  async function remove(key: string, entry: Entry): Promise<void> {
    if (entries.get(key) !== entry) return
    entries.delete(key)
    await started?.catch(() => {})
    if (started !== undefined) await entry.ready.promise.catch(() => {})
    if (entry.id === undefined) return
    running.delete(entry.id)
    heart.wake() // the others are to know that it does not run here any more
    await keeper.release(entry.id, AbortSignal.timeout(drainMs))
  }

  async function stop(): Promise<void> {
    const last = AbortSignal.timeout(drainMs + graceMs)
    if (!(await within(drain(), last))) {
      log.warn(
        { member },
        "consumers stop without an answer from the database: their leases end by themselves",
      )
    }
    ended.abort()
  }

  async function drain(): Promise<void> {
    await started?.catch(() => {})
    deafen?.()
    running.clear() // from the next beat on, others count us out and take what we give back
    const deadline = AbortSignal.timeout(drainMs)
    await Promise.all([
      keeper.release(undefined, deadline),
      ...[...followers].map((follower) => follower.stop()),
    ])
    ended.abort()
    heart.wake()
    await beating
    await keeper.release(undefined, deadline) // what a beat under way took meanwhile
    if (beating !== undefined) {
      await removeMember(pool, member).catch((error: unknown) => {
        log.warn({ err: error, member }, "this member could not say goodbye: its leases end by themselves")
      })
    }
  }

  function enter(definition: AnyDefinition): Consumer {
    const key = entryKey(definition)
    if (entries.has(key)) {
      throw new SignalboxError("configuration", `there are two consumers named "${definition.name}"`)
    }
    const entry = toEntry(definition)
    entries.set(key, entry)
    if (started !== undefined) void started.then(() => register(entry)).catch(() => {})
    let removed: Promise<void> | undefined
    return { ready: entry.ready.promise, remove: () => (removed ??= remove(key, entry)) }
  }

  return {
    add(definition) {
      checkDefinition(definition)
      return enter(definition)
    },
    deliver: enter,
    follow(followOptions) {
      const follower = startFollower(followOptions, { pool, read: window.read, log, begin: begun.promise })
      followers.add(follower)
      if (beating !== undefined) listen()
      return {
        ...follower,
        stop() {
          followers.delete(follower)
          return follower.stop()
        },
      }
    },
    wake,
    state: standing.state,
    start: () => (started ??= start()),
    stop: () => (stopped ??= stop()),
  }
}

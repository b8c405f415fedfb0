import type { Log } from "../core/log.ts"
import { createAdmission, type Admission, type AdmissionLimits } from "./admission.ts"
import { createBudget } from "./budget.ts"
import {
  beat,
  broadcast,
  createClient,
  mayInterject,
  timesStalled,
  write,
  writePaced,
  type Client,
  type Opening,
} from "./client.ts"
import { infoOf, type ConnectionInfo } from "./connection-info.ts"
import { createDefinitionCheck } from "./definition-check.ts"
import { endings, farewellOf, type Ending } from "./ending.ts"
import type { Entry } from "./entry.ts"
import { createFanOut } from "./fan-out.ts"
import type { Feed } from "./feed.ts"
import {
  createFigures,
  feedState,
  openStats,
  type ConnectionStats,
  type DropReason,
  type FeedState,
  type OpenStats,
} from "./figures.ts"
import type { History } from "./history.ts"
import { createKeyCheck, type FindDeadKeys } from "./key-check.ts"
import { createLogCursor, type Stretch } from "./log-cursor.ts"
import { toPart } from "./parts.ts"
import type { StreamDefinitions } from "./stream-definitions.ts"
import type { View } from "./view.ts"
import type { Wire } from "./wire.ts"

/** All open streams of a process. */
export interface Connections extends Pick<Admission, "admit"> {
  /**
   * Begins a stream: what follows `start`, then news. Once all are stopped a new one ends as soon as it has
   * begun: a browser's EventSource gives up for good at any answer but a stream.
   */
  open(wire: Wire, view: View, opening: Opening): void
  /** Ends every stream with a hint when to come back, and each that comes after. */
  stop(): Promise<void>
  stats(): ConnectionStats
  /** How the open streams of a tenant do. */
  statsOf(tenant: string): OpenStats
  feedState(): FeedState
  /** The open streams of a tenant, of all where it is null, in the order in which they were opened. */
  list(tenant: string | null): ConnectionInfo[]
  /** Ends a stream with a hint when to come back; false where the tenant has none of this id. */
  close(tenant: string | null, id: string): boolean
  /**
   * Says something, JSON on one line, to the clients of a tenant that have one of these names, to all where
   * `names` is null. Answers how many it was said to: not to those that have more to read already.
   */
  broadcast(tenant: string | null, names: readonly string[] | null, json: string): number
}

export interface ConnectionLimits extends AdmissionLimits {
  /** Bytes that may wait for a client which is up to date (1 MiB). */
  maxUnsent?: number
  /** And for all together (256 MB): beyond it, no client may have more than its even share of them. */
  maxUnsentTotal?: number
  /** A client that takes nothing for so long, although something waits for it, is closed (30 s). */
  stallMs?: number
  /** How often the keys of open streams are looked at (5 s), and whether the streams are still what they were. */
  keyCheckMs?: number
}

export interface ConnectionsOptions extends ConnectionLimits {
  feed: Feed
  history: History
  definitions: Pick<StreamDefinitions, "changesOf" | "onHint">
  findDeadKeys: FindDeadKeys
  log: Log
}

const tickMs = 250
const beatsPerTick = 1000 // many streams that fell silent together must not beat together
const latest = 1.5 // heartbeats of silence at most, however many want theirs: those opened first would have it all
const graceMs = 2_000 // for what is being written as the process stops
const waitingBytes = 64 << 20
const mostAtOnce = 256 // events that one stream takes of what its key may have
const nothing: Stretch = { entries: [], release: () => {} }

/** Makes the register of open streams. */
export function createConnections(options: ConnectionsOptions): Connections {
  const { feed, history, log, keyCheckMs = 5_000 } = options
  const { maxUnsent = 1 << 20, maxUnsentTotal = 256e6, stallMs = 30_000 } = options
  const checkKeys = createKeyCheck(options.findDeadKeys, log)
  const clients = new Set<Client>()
  const checkDefinitions = createDefinitionCheck({ ...options, clients, onChanged: end })
  const figures = createFigures(feed, history)
  const admission = createAdmission(options, figures.refused)
  const waiting = createBudget(waitingBytes, { leavesRoom: true }) // what may wait for all clients that catch up together
  let stopped = false
  let unsubscribe: (() => void) | undefined
  let deafen: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let keyTimer: NodeJS.Timeout | undefined

  const fanOut = createFanOut({
    onOutpaced: beginCatchUp,
    onTooSlow: (client) => drop(client, "too_slow"),
  })
  fanOut.allow(maxUnsent)

  function drop(client: Client, reason: DropReason): void {
    figures.dropped(reason)
    log.info({ reason, told: client.told, unsent: client.wire.unsent() }, "a stream was cut, to be resumed")
    remove(client)
    client.wire.cut() // it comes back with its cursor and misses nothing
  }

  function add(client: Client): void {
    clients.add(client)
    admission.add(client)
    figures.opened()
    timer ??= setInterval(tick, tickMs).unref()
    keyTimer ??= setInterval(check, keyCheckMs).unref()
    deafen ??= options.definitions.onHint(checkDefinitions)
    unsubscribe ??= feed.subscribe({ advance, setBack: () => endAll(endings.setBack) })
  }

  function check(): void {
    checkKeys(clients, endDead)
    checkDefinitions()
  }

  function advance(entries: readonly Entry[]): void {
    try {
      fanOut.advance(entries)
    } catch (error) {
      // Whom it reached is not known: nobody may go on as if it had reached all.
      log.error({ err: error }, "a flush failed; the streams it was for are cut, to resume")
      for (const client of clients) if (client.live) drop(client, "failed")
    }
  }

  function remove(client: Client): void {
    client.closed = true
    fanOut.leave(client)
    if (!clients.delete(client)) return
    admission.remove(client)
    figures.closed(client)
    if (clients.size > 0) return
    clearInterval(timer)
    timer = undefined
    clearInterval(keyTimer)
    keyTimer = undefined
    deafen?.()
    deafen = undefined
    unsubscribe?.()
    unsubscribe = undefined
  }

  function beginCatchUp(client: Client, after: number, floor = 0): void {
    catchUp(client, after, floor).catch((error: unknown) => {
      log.error({ err: error }, "a stream failed; its client may come back")
      drop(client, "failed")
    })
  }

  async function catchUp(client: Client, after: number, floor: number): Promise<void> {
    client.passed = after
    const cursor = createLogCursor({
      feed,
      history,
      log,
      view: client.view,
      owner: client.keyId,
      after,
      floor,
    })
    while (!client.closed) {
      if (cursor.atFeed()) return fanOut.join(client) // nothing is awaited between the two, so nothing is missed
      const granted = await client.allowance?.take(mostAtOnce)
      const { entries, release } = client.closed ? nothing : await cursor.pull(granted)
      if (granted !== undefined) client.allowance?.spend(entries.length - granted)
      await writePaced(client, entries, waiting).finally(release)
      client.passed = cursor.position
    }
    if (client.farewell !== null) client.wire.end(client.farewell)
  }

  function tick(): void {
    const now = performance.now()
    let beats = beatsPerTick
    let unsent = 0
    for (const client of clients) {
      unsent += client.wire.unsent()
      if (timesStalled(client) * tickMs >= stallMs) drop(client, "stalled")
      else if (
        now - client.wroteAt >= client.heartbeatMs * (beats > 0 ? 1 : latest) &&
        mayInterject(client)
      ) {
        beats--
        beat(client, client.live ? feed.position : client.passed, now)
      }
    }
    fanOut.allow(unsent > maxUnsentTotal ? Math.min(maxUnsent, maxUnsentTotal / clients.size) : maxUnsent)
  }

  function endAll(ending: Ending): void {
    for (const client of clients) end(client, ending)
  }

  function endDead(client: Client): void {
    log.info({ keyId: client.keyId }, "a stream was ended: its API key is revoked or expired")
    end(client, endings.keyEnded)
  }

  function end(client: Client, ending: Ending): void {
    if (client.closed) return
    fanOut.leave(client)
    client.closed = true
    figures.ended(ending.reason)
    const farewell = farewellOf(ending)
    // Whoever is in the midst of a large event has the rest of it first, unless he may not have it any more.
    if (client.wire.midPart && ending !== endings.keyEnded) client.farewell = farewell
    else client.wire.end(farewell)
  }

  return {
    admit: admission.admit,
    open: (wire, view, opening) => {
      const { start, floor } = opening
      const client = createClient(wire, view, opening)
      wire.onGone(() => remove(client))
      const part = toPart(wire.encoding.opening(start), wire.encoding)
      write(client, { part, position: start, entries: 0 }, performance.now())
      add(client)
      if (stopped) end(client, endings.shutdown)
      else beginCatchUp(client, start, floor)
    },
    stop: async () => {
      stopped = true
      endAll(endings.shutdown)
      const deadline = performance.now() + graceMs
      while (clients.size > 0 && performance.now() < deadline)
        await new Promise((done) => setTimeout(done, 10))
      for (const client of clients) client.wire.cut()
    },
    stats: () => figures.stats(clients),
    statsOf: (tenant) => openStats([...clients].filter(isOf(tenant)), feed),
    feedState: () => feedState(feed, clients.size),
    list: (tenant) => [...clients].filter(isOf(tenant)).map(infoOf),
    close: (tenant, id) => {
      const client = [...clients].find((one) => one.id === id && isOf(tenant)(one) && !one.closed)
      if (client !== undefined) end(client, endings.closed)
      return client !== undefined
    },
    broadcast: (tenant, names, json) => {
      const now = performance.now()
      const isNamed = ({ clientName }: Client): boolean =>
        names === null || (clientName !== null && names.includes(clientName))
      return [...clients]
        .filter(isOf(tenant))
        .filter((client) => isNamed(client) && broadcast(client, json, now)).length
    },
  }
}

function isOf(tenant: string | null): (client: Client) => boolean {
  return ({ view }) => tenant === null || view.tenant === tenant
}

import type { ServerResponse } from "node:http"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { createBudget } from "./budget.ts"
import type { Entry } from "./entry.ts"
import { createFanOut } from "./fan-out.ts"
import type { Feed } from "./feed.ts"
import type { History } from "./history.ts"
import { createKeyCheck, type FindDeadKeys } from "./key-check.ts"
import { createLogCursor } from "./log-cursor.ts"
import {
  createSseClient,
  timesStalled,
  unsentBytes,
  write,
  writePaced,
  type SseClient,
} from "./sse-client.ts"
import type { View } from "./view.ts"

/** All open streams of a process. */
export interface Connections {
  /** Throws 503 where no more streams are taken. */
  admit(): void
  /** Begins a stream on a response whose head has been written: what follows `start`, then news. */
  open(outgoing: ServerResponse, view: View, options: OpenOptions): void
  /** Ends every stream with a hint when to come back, and takes no more. */
  stop(): Promise<void>
  stats(): ConnectionStats
}

export interface OpenOptions {
  /** Position that it begins behind. */
  start: number
  heartbeatMs: number
  /** Id of the API key that let it in; the stream ends within `keyCheckMs` of the key. */
  keyId: string
}

export interface ConnectionStats {
  open: number
  /** Of these, clients that are still being sent history. */
  catchingUp: number
  /** Bytes that wait in memory for clients to take them. */
  unsentBytes: number
  /** Streams closed because their client did not keep up, since the start. */
  dropped: number
}

export interface ConnectionLimits {
  /** Streams open at a time (20,000). */
  maxClients?: number
  /** Bytes that may wait for a client which is up to date (1 MiB). */
  maxUnsent?: number
  /** A client that takes nothing for so long, although something waits for it, is closed (15 s). */
  stallMs?: number
  /** How often the keys of open streams are looked at (5 s). */
  keyCheckMs?: number
}

export interface ConnectionsOptions extends ConnectionLimits {
  feed: Feed
  history: History
  findDeadKeys: FindDeadKeys
  log: Log
}

const tickMs = 250
const beatsPerTick = 1000 // many streams that fell silent together must not beat together
const graceMs = 1000
const waitingBytes = 64 << 20

/** Makes the register of open streams. */
export function createConnections(options: ConnectionsOptions): Connections {
  const { feed, history, log, keyCheckMs = 5_000 } = options
  const { maxClients = 20_000, maxUnsent = 1 << 20, stallMs = 15_000 } = options
  const checkKeys = createKeyCheck(options.findDeadKeys, log)
  const clients = new Set<SseClient>()
  const waiting = createBudget(waitingBytes) // what may wait for all clients that catch up together
  let unsubscribe: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let keyTimer: NodeJS.Timeout | undefined
  let stopping = false
  let dropped = 0

  const fanOut = createFanOut({
    maxUnsent,
    onOutpaced: beginCatchUp,
    onTooSlow: drop,
  })

  function drop(client: SseClient): void {
    dropped++
    log.info(
      { told: client.told, unsent: unsentBytes(client) },
      "a stream was closed: its client is too slow",
    )
    remove(client)
    // It comes back with its cursor and misses nothing. The request knows the socket even where the
    // response has none yet: behind another one on the same connection.
    client.outgoing.req.socket.destroy()
  }

  function add(client: SseClient): void {
    clients.add(client)
    timer ??= setInterval(tick, tickMs).unref()
    keyTimer ??= setInterval(checkKeys, keyCheckMs, clients, endDead).unref()
    unsubscribe ??= feed.subscribe({ advance, setBack: endAll })
  }

  function advance(entries: readonly Entry[]): void {
    try {
      fanOut.advance(entries)
    } catch (error) {
      // Whom it reached is not known: nobody may go on as if it had reached all.
      log.error({ err: error }, "a flush failed; the streams it was for are cut, to resume")
      for (const client of clients) if (client.live) drop(client)
    }
  }

  function remove(client: SseClient): void {
    client.closed = true
    client.wake?.()
    fanOut.leave(client)
    if (!clients.delete(client) || clients.size > 0) return
    clearInterval(timer)
    timer = undefined
    clearInterval(keyTimer)
    keyTimer = undefined
    unsubscribe?.()
    unsubscribe = undefined
  }

  function beginCatchUp(client: SseClient, after: number): void {
    catchUp(client, after).catch((error: unknown) => {
      log.error({ err: error }, "a stream failed; its client may come back")
      drop(client)
    })
  }

  async function catchUp(client: SseClient, after: number): Promise<void> {
    client.passed = after
    const cursor = createLogCursor({ feed, history, log, view: client.view, after })
    while (!client.closed) {
      if (cursor.atFeed()) return fanOut.join(client) // nothing is awaited between the two, so nothing is missed
      const { entries, release } = await cursor.pull()
      await writePaced(client, entries, waiting).finally(release)
      client.passed = cursor.position
    }
  }

  function tick(): void {
    const now = performance.now()
    let beats = beatsPerTick
    for (const client of clients) {
      if (timesStalled(client) * tickMs >= stallMs) drop(client)
      else if (beats > 0 && now - client.wroteAt >= client.heartbeatMs && mayInterject(client)) {
        beats--
        beat(client, now)
      }
    }
  }

  // An `id` without data dispatches nothing, yet moves the last event id (HTML, 9.2.6): a client whose
  // filter lets little pass resumes from here, and not from the last event it saw long ago.
  function beat(client: SseClient, now: number): void {
    const position = client.live ? feed.position : client.passed
    write(client, position === client.told ? ":\n\n" : `:\nid: ${position}\n\n`, now)
    client.told = position
  }

  function endAll(): void {
    for (const client of clients) end(client)
  }

  function endDead(client: SseClient): void {
    log.info({ keyId: client.keyId }, "a stream was ended: its API key is revoked or expired")
    end(client)
  }

  function end(client: SseClient): void {
    fanOut.leave(client)
    client.closed = true
    const { outgoing } = client
    // Half a frame must not look like a whole one: cut off, the client throws it away.
    if (client.midFrame) return void outgoing.destroy()
    const { socket } = outgoing
    outgoing.end(`retry: ${Math.round(1000 + Math.random() * 4000)}\n\n`, () => socket?.destroySoon())
  }

  return {
    admit: () => {
      if (stopping || clients.size >= maxClients) {
        throw new SignalboxError("unavailable", "no more streams are taken here now", { retryAfter: 5 })
      }
    },
    open: (outgoing, view, opening) => {
      const { start } = opening
      const client = createSseClient(outgoing, view, opening)
      outgoing.on("error", () => {}) // told by "close" as well
      outgoing.on("close", () => remove(client))
      outgoing.socket?.setNoDelay(true)
      // The id at once: a client cut off before its first event resumes from where it began.
      write(client, `: from position ${start}\nretry: 2000\nid: ${start}\n\n`, performance.now())
      add(client)
      beginCatchUp(client, start)
    },
    stop: async () => {
      stopping = true
      endAll()
      const deadline = performance.now() + graceMs
      while (clients.size > 0 && performance.now() < deadline)
        await new Promise((done) => setTimeout(done, 10))
      for (const client of clients) client.outgoing.destroy()
    },
    stats: () => ({
      open: clients.size,
      catchingUp: [...clients].filter((client) => !client.live).length,
      unsentBytes: [...clients].reduce((sum, client) => sum + unsentBytes(client), 0),
      dropped,
    }),
  }
}

/** Whether something may be written between what is written anyway. */
function mayInterject(client: SseClient): boolean {
  return !client.closed && !client.midFrame && unsentBytes(client) === 0
}

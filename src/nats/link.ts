import { setTimeout as sleep } from "node:timers/promises"
import {
  connect,
  credsAuthenticator,
  type ConnectionOptions,
  type NatsConnection,
} from "@nats-io/transport-node"
import type { Log } from "../core/log.ts"
import type { NatsAddress } from "./settings.ts"

/** How the connection stands. */
export interface LinkState {
  connected: boolean
  /** Version of the server, while connected. */
  version: string | null
}

/** The connection of a process to NATS, made anew whenever it is lost. */
export interface NatsLink {
  readonly state: LinkState
  /**
   * Runs `body` on every connection, one after the other, until `signal` aborts; resolves then. The signal
   * that `body` gets aborts with the connection too. Where it ends it is run again after a while; `onFault`
   * is told what it throws.
   */
  whileConnected(
    signal: AbortSignal,
    body: (connection: NatsConnection, signal: AbortSignal) => Promise<void>,
    onFault: (error: unknown) => void,
  ): Promise<void>
  /** Begins to connect; whether NATS is there or not. */
  start(): void
  stop(): Promise<void>
}

export interface NatsLinkOptions {
  address: NatsAddress
  /** A JWT and its key. */
  credentials?: Uint8Array | undefined
  log: Log
}

/** A connection while it stands. */
interface Standing {
  connection: NatsConnection
  /** Aborts when it is lost. */
  gone: AbortSignal
}

const firstWaitMs = 100
const longestWaitMs = 2_000
/** What went well for so long is begun anew at once. */
const settledMs = 10_000

/** Makes the link. Each change of its state is one line of the log. */
export function createNatsLink({ address, credentials, log }: NatsLinkOptions): NatsLink {
  const stopping = new AbortController()
  let standing: Standing | undefined
  let change = Promise.withResolvers<void>()
  let running: Promise<void> | undefined

  function turn(to: Standing | undefined): void {
    standing = to
    change.resolve()
    change = Promise.withResolvers()
  }

  async function run(): Promise<void> {
    let waitMs = firstWaitMs
    let complaint = ""
    while (!stopping.signal.aborted) {
      try {
        const made = await connect(optionsFor(address, credentials))
        if (stopping.signal.aborted) return await made.close()
        complaint = ""
        const begun = performance.now()
        log.info({ server: made.getServer(), version: made.info?.version }, "connected to NATS")
        const gone = new AbortController()
        turn({ connection: made, gone: gone.signal })
        const reason = await made.closed()
        gone.abort()
        turn(undefined)
        if (performance.now() - begun > settledMs) waitMs = firstWaitMs
        if (!stopping.signal.aborted) {
          log.warn({ err: reason }, "the connection to NATS is lost; streams read the database meanwhile")
        }
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error)
        if (text !== complaint)
          log.warn({ err: error }, "NATS cannot be reached; streams read the database meanwhile")
        complaint = text
      }
      await pause(waitMs * (0.75 + Math.random() / 2), stopping.signal)
      waitMs = Math.min(2 * waitMs, longestWaitMs)
    }
  }

  async function nextConnection(signal: AbortSignal): Promise<Standing | undefined> {
    const waits = (): boolean => standing === undefined && !signal.aborted
    while (waits()) await orAborted(change.promise, signal)
    return signal.aborted ? undefined : standing
  }

  return {
    get state() {
      return { connected: standing !== undefined, version: standing?.connection.info?.version ?? null }
    },
    whileConnected: async (signal, body, onFault) => {
      let waitMs = firstWaitMs
      while (!signal.aborted) {
        const found = await nextConnection(signal)
        if (found === undefined) return
        const ended = new AbortController()
        const end = (): void => ended.abort()
        // Not by `closed()`: what waits for a promise cannot be taken back, and the connection may last for months.
        const enders = [signal, found.gone]
        for (const ender of enders) {
          ender.addEventListener("abort", end)
          if (ender.aborted) end()
        }
        const begun = performance.now()
        try {
          await body(found.connection, ended.signal)
        } catch (error) {
          if (!ended.signal.aborted) onFault(error)
        }
        ended.abort()
        for (const ender of enders) ender.removeEventListener("abort", end)
        if (performance.now() - begun > settledMs) waitMs = firstWaitMs
        await pause(waitMs, signal)
        waitMs = Math.min(2 * waitMs, longestWaitMs)
      }
    },
    start: () => {
      running ??= run()
    },
    stop: async () => {
      stopping.abort()
      await standing?.connection.close().catch(() => {})
      await running
    },
  }
}

function optionsFor(address: NatsAddress, credentials: Uint8Array | undefined): ConnectionOptions {
  const { servers, tls, user, password, token } = address
  return {
    servers,
    name: "signalbox",
    // A lost connection ends whatever went over it: nothing that waited in a buffer is sent late.
    reconnect: false,
    timeout: 5_000,
    pingInterval: 5_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(tls ? { tls: {} } : {}),
    ...(token === undefined ? {} : { token }),
    ...(user === undefined ? {} : { user, pass: password ?? "" }),
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(credentials) }),
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/** Resolves with the promise, or when the signal aborts. */
async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const end = (): void => resolve()
  signal.addEventListener("abort", end)
  if (signal.aborted) end()
  await Promise.race([promise, aborted])
  signal.removeEventListener("abort", end)
}

import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../../core/errors.ts"
import { errorCode } from "../system-error.ts"
import { prepareBinaries } from "./binaries.ts"
import { checkVersion, createCluster } from "./cluster.ts"
import { clusterPassword } from "./password.ts"
import { findPlace } from "./place.ts"
import { endPostmaster } from "./postmaster.ts"
import { signalProcess } from "./processes.ts"
import { isSessionAlive, openSession, type Setup } from "./session.ts"

export interface EmbeddedOptions {
  /** Folder of the cluster, its password and its log; made where it is missing. */
  dataDir: string
  log?: (message: string) => void
  /** Aborts the start; afterwards, stops the server. */
  signal?: AbortSignal
  /** TCP port on 127.0.0.1, besides the socket. Without one there is no TCP at all. */
  port?: number
  /**
   * Beside others on the same data directory, the last of whom stops the server. Without it we are
   * the only hub there: a second one is refused, and our stop is the server's.
   */
  shared?: boolean
  /** False gives up fsync, for data that may be lost. */
  durable?: boolean
  /** Told when the server is lost while we run, when it is back, and when it cannot be brought back. */
  onState?: (state: EmbeddedState, reason: string) => void
  /** Where root keeps a cluster whose data directory the server's user cannot enter (/var/lib/signalbox). */
  stateHome?: string
}

export type EmbeddedState = "lost" | "restored" | "failed"

/** A PostgreSQL of our own. Its URL stays the same over restarts; the process may change. */
export interface EmbeddedServer extends AsyncDisposable {
  url: string
  readonly pid: number
  /** Whether the server was running before us (left by a killed process, or shared). */
  readonly adopted: boolean
  /** Ends the server, or in shared use leaves it to the others. Idempotent. */
  stop(): Promise<void>
}

const defaultPort = 5432 // part of the socket's name
const restartAttempts = 10

/**
 * Starts the PostgreSQL of a data directory, or adopts the one that runs there, and keeps it running.
 * Fails with a `configuration` error of one line where that cannot be done here.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { shared = false, onState = () => {}, log = () => {} } = options
  const setup = await prepare(options).catch((cause: unknown) => {
    throw asConfiguration(cause, options.dataDir)
  })
  const ending = new AbortController()
  const signal =
    options.signal === undefined ? ending.signal : AbortSignal.any([options.signal, ending.signal])
  let session = await openSession(setup, signal)
  let lost = false
  let recovering: Promise<void> = Promise.resolve()
  let stopped: Promise<void> | undefined

  const watch = (): void => {
    session.claim.client.once("end", () => {
      if (!ending.signal.aborted) recovering = recover()
    })
  }
  const recover = async (): Promise<void> => {
    const crashed = !(await isSessionAlive(session, setup))
    const what = crashed ? "the embedded PostgreSQL has ended" : "the embedded PostgreSQL closed our session"
    log(`${what} (process ${session.pid}); see ${setup.logFile}`)
    lost = true
    onState("lost", what)
    for (let attempt = 1; ; attempt++) {
      try {
        session = await openSession(setup, signal)
        lost = false
        watch()
        onState("restored", `process ${session.pid}`)
        return
      } catch (error) {
        if (ending.signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        if (attempt === restartAttempts) return onState("failed", reason)
        log(`attempt ${attempt} to restart the embedded PostgreSQL failed: ${reason}`)
        await sleep(Math.min(5_000, 100 * 2 ** attempt), undefined, { signal }).catch(() => {})
      }
    }
  }
  // Whoever ends this process without a stop (an uncaught error) takes the server along.
  const onExit = (): void => {
    if (!lost) signalProcess(session.pid, "SIGINT")
  }
  const end = async (): Promise<void> => {
    ending.abort()
    await recovering
    process.off("exit", onExit)
    // The claim is kept until the server is gone, so that nobody comes in on its last moments.
    const last = !shared || (await session.claim.isLast().catch(() => false))
    if (last) await endPostmaster(session.pid, setup.place.cluster)
    await session.claim.close().catch(() => {})
  }
  const stop = (): Promise<void> => (stopped ??= end())

  if (!shared) process.once("exit", onExit)
  const onAbort = (): void => {
    stop().catch((error: unknown) => log(`the embedded PostgreSQL could not be stopped: ${String(error)}`))
  }
  options.signal?.addEventListener("abort", onAbort, { once: true })
  watch()
  return {
    url: session.url,
    get pid() {
      return session.pid
    },
    adopted: session.adopted,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function prepare(options: EmbeddedOptions): Promise<Setup> {
  const { port, shared = false, durable = true, log = () => {}, stateHome = "/var/lib/signalbox" } = options
  const place = await findPlace(options.dataDir, stateHome)
  // What the server's user may enter is the folder of the cluster, not always the data directory.
  const copyTo = dirname(place.cluster) === place.dataDir ? place.dataDir : stateHome
  const binaries = await prepareBinaries({ account: place.account, copyTo, log })
  if (place.exists) await checkVersion(place.cluster, binaries)
  const password = await clusterPassword(place.dataDir)
  if (!place.exists) {
    log(`making a PostgreSQL ${binaries.major} cluster in ${dirname(place.cluster)}`)
    await createCluster(place, binaries, password)
  }
  return {
    place: place.exists ? place : await findPlace(place.dataDir, stateHome), // maybe another starter's
    binaries,
    password,
    port: port ?? defaultPort,
    tcp: port !== undefined,
    durable,
    shared,
    logFile: join(place.dataDir, "postgres.log"),
    log,
  }
}

// What is left are errors of the file system (no permission, no space): the operator's to mend.
function asConfiguration(cause: unknown, dataDir: string): unknown {
  if (cause instanceof SignalboxError || !(cause instanceof Error) || errorCode(cause) === undefined)
    return cause
  const message = `the data directory ${dataDir} cannot be used (${cause.message}): set SIGNALBOX_DATA_DIR to another folder, or DATABASE_URL`
  return new SignalboxError("configuration", message, { cause })
}

import { setTimeout as sleep } from "node:timers/promises"
import { Client, DatabaseError } from "pg"
import { SignalboxError } from "../../core/errors.ts"
import { serverUrl, socketDirectory, type Address } from "./address.ts"
import type { Binaries } from "./binaries.ts"
import { bootstrapDatabase, databaseName, ownerName } from "./bootstrap.ts"
import { claim, connect, type Claim } from "./claims.ts"
import type { Place } from "./place.ts"
import { cannotStart, endPostmaster, launch, type Launched } from "./postmaster.ts"
import { clearRemains, clusterName, isRunning, runningPostmaster } from "./postmaster-record.ts"
import type { PostmasterRecord } from "./postmaster-record.ts"
import { programIsGone } from "./processes.ts"

/** What stays the same over every start of one data directory's server. */
export interface Setup {
  place: Place
  binaries: Binaries
  password: string
  port: number
  /** Whether it listens on 127.0.0.1 too. */
  tcp: boolean
  durable: boolean
  shared: boolean
  logFile: string
  log: (message: string) => void
}

/** A server that answers, and our claim on it. */
export interface Session {
  pid: number
  /** Whether it was running before we came. */
  adopted: boolean
  url: string
  claim: Claim
}

const pollMs = 10
const deafMs = 10_000
const stoppingMs = 60_000

/**
 * Brings up the server, or finds it running, and claims it. Every way it may be in when we come
 * (starting, stopping, deaf, another program behind its pid) leads back to the top of the loop.
 */
export async function openSession(setup: Setup, signal: AbortSignal): Promise<Session> {
  const { cluster, account } = setup.place
  const address = { socketDir: await socketDirectory(cluster, setup.port, account), port: setup.port }
  const command = serverCommand(setup, address)
  const patience = createPatience(setup)
  let launched: Launched | undefined
  try {
    for (;;) {
      signal.throwIfAborted()
      const record = await runningPostmaster(cluster)
      if (record === undefined) {
        await refuseForeign(setup, address)
        await clearRemains(cluster, address, setup.log)
        launched = await launch({ command, account, logFile: setup.logFile })
        await waitUntilReady(launched, setup, signal)
      } else if (record.status === "ready") {
        const opened = await tryOpen(record, setup)
        if (opened instanceof Error) {
          await patience.deaf(record, opened)
        } else if (opened !== undefined) {
          const adopted = record.pid !== launched?.pid
          const session = { pid: record.pid, adopted, url: urlOf(setup, record), claim: opened }
          if (!adopted || setup.shared || (await isAsWanted(record, command))) return session
          setup.log(
            `restarting the PostgreSQL found running (process ${record.pid}) with the present settings`,
          )
          await opened.close()
          await endPostmaster(record.pid, cluster)
        }
      } else {
        await patience.busy(record)
      }
      await sleep(pollMs)
    }
  } catch (error) {
    const conflict = error instanceof SignalboxError && error.code === "conflict"
    if (launched !== undefined && !conflict) await endPostmaster(launched.pid, cluster)
    throw error
  }
}

function serverCommand({ binaries, place, port, tcp, durable }: Setup, { socketDir }: Address): string[] {
  const settings = {
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    listen_addresses: tcp ? "127.0.0.1" : "",
    port: String(port),
    cluster_name: clusterName(place.cluster),
    fsync: durable ? "on" : "off",
    full_page_writes: durable ? "on" : "off",
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  return [binaries.postgres, "-D", place.cluster, ...flags]
}

function urlOf({ password }: Setup, { socketDir, port }: Address): string {
  return serverUrl({ socketDir, port }, ownerName, password, databaseName)
}

async function isAsWanted(record: PostmasterRecord, command: string[]): Promise<boolean> {
  return record.command.join("\0") === command.join("\0") && !(await programIsGone(record.pid))
}

// A server in another container has its process where we cannot see it, but its socket lies in the
// data directory that we share. Two servers on the same files would ruin them.
async function refuseForeign(setup: Setup, address: Address): Promise<void> {
  const answer = await connect(urlOf(setup, address)).catch((error: unknown) => error)
  if (answer instanceof Client) await answer.end()
  if (!(answer instanceof Client) && !(answer instanceof DatabaseError)) return
  if ((await runningPostmaster(setup.place.cluster)) !== undefined) return // come up meanwhile
  throw new SignalboxError(
    "configuration",
    `the PostgreSQL of ${setup.place.dataDir} runs already, out of our sight (another container?): stop that one, or set SIGNALBOX_DATA_DIR to another folder`,
  )
}

async function waitUntilReady(launched: Launched, setup: Setup, signal: AbortSignal): Promise<void> {
  let reason: string | undefined
  const note = (text: string): void => {
    reason = text
  }
  void launched.ended.then(note)
  for (;;) {
    signal.throwIfAborted()
    const record = await runningPostmaster(setup.place.cluster)
    if (record?.status === "ready") return
    if (reason !== undefined) {
      if (record !== undefined) return // another starter was faster: on with its server
      throw new SignalboxError("configuration", cannotStart(reason, setup.logFile))
    }
    await sleep(pollMs)
  }
}

/** The claim; undefined where the server is about to stop, an error where it does not answer. */
async function tryOpen(record: PostmasterRecord, setup: Setup): Promise<Claim | Error | undefined> {
  try {
    const client = await connect(urlOf(setup, record)).catch(async (error: unknown) => {
      if (!(error instanceof DatabaseError) || !isMissing(error)) throw error
      await bootstrapDatabase(record, setup.password, setup.place.dataDir)
      return connect(urlOf(setup, record))
    })
    return await claim(client, setup.shared, setup.place.dataDir)
  } catch (error) {
    if (error instanceof SignalboxError || !(error instanceof Error)) throw error
    if (!(error instanceof DatabaseError)) return error
    if (error.code?.startsWith("57P") === true) return undefined // starting or shutting down
    throw new SignalboxError("configuration", cannotStart(error.message, setup.logFile), { cause: error })
  }
}

// 28P01 invalid password (PostgreSQL says so of a missing role too), 3D000 no such database.
function isMissing({ code }: DatabaseError): boolean {
  return code === "28P01" || code === "3D000"
}

interface Patience {
  /** It is ready by its own account, but did not answer. */
  deaf(record: PostmasterRecord, error: Error): Promise<void>
  /** It starts (recovery takes as long as it takes) or stops. */
  busy(record: PostmasterRecord): Promise<void>
}

function createPatience({ place, log }: Setup): Patience {
  let since: { pid: number; status: string; at: number } | undefined
  let told = 0
  const waited = (pid: number, status: string): number => {
    if (since?.pid !== pid || since.status !== status) since = { pid, status, at: Date.now() }
    return Date.now() - since.at
  }
  return {
    deaf: async ({ pid }, error) => {
      if (waited(pid, "deaf") < deafMs) return
      log(`ending the PostgreSQL found running (process ${pid}), which does not answer: ${error.message}`)
      await endPostmaster(pid, place.cluster, 5_000)
    },
    busy: async ({ pid, status }) => {
      const ms = waited(pid, status)
      if (status === "stopping" && ms > stoppingMs) await endPostmaster(pid, place.cluster, 5_000)
      if (ms > 3_000 && Date.now() - told > 10_000) {
        told = Date.now()
        log(`waiting for the PostgreSQL found ${status} (process ${pid})`)
      }
    },
  }
}

/** Whether the server of a session still runs. */
export function isSessionAlive({ pid }: Session, setup: Setup): Promise<boolean> {
  return isRunning(pid, setup.place.cluster)
}

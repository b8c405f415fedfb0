import { readFileSync } from "node:fs"
import { createPool } from "../../src/store/database.ts"
import { migrate } from "../../src/store/migrate.ts"
import { z } from "zod"
import { askChild } from "./ask-child.ts"
import type { BenchServer } from "./bench-database.ts"
import { startChild } from "./child-server.ts"
import { cpuBetween, cpuTimes } from "./cpu-time.ts"
import type { Latencies } from "./latencies.ts"
import { playWithClients } from "./latency-contest.ts"
import { logOnSchedule, nowMs } from "./log-source.ts"
import { round } from "./statistics.ts"
import type { ClientsRequest } from "./stream-clients.ts"
import type { TransportName } from "./stream-frames.ts"

/** A server on a database of its own, and clients of its streams in a process of theirs. */
export interface StreamStage {
  /** Replaces the clients by `count` others, and waits until all are served. */
  connect(count: number): Promise<void>
  /** Logs events at a steady rate and waits for them at every client. */
  flow(flow: Flow): Promise<FlowReport>
  /** Resident bytes of the server: as they stand, and what is left after a collection. */
  memory(): Promise<z.infer<typeof memory>>
}

export interface Flow {
  clients: number
  eventsPerSecond: number
  seconds: number
  /** How long after the last event is due its frames are waited for. */
  deadlineMs: number
}

export interface FlowReport extends Latencies {
  /** Processor time of each side for a frame to one client; it depends least on what else the machine does. */
  cpuMicrosPerFrame: { server: number; clients: number }
  /** The same as cores that were busy, the database's and the event source's with them. */
  cores: { server: number; clients: number; database: number; source: number }
  /** The most that was resident of the server, in MiB. */
  peakMiB: number
}

export interface Competitor {
  script: URL
  transport: TransportName
  path: string
}

const memory = z.object({ standing: z.number(), retained: z.number() })
const clientScript = new URL("stream-clients.ts", import.meta.url)

/** Sets the stage, lets `play` use it, and takes it down. */
export async function withStage<Report>(
  server: BenchServer,
  { script, transport, path }: Competitor,
  bodyOf: (n: number) => Buffer,
  play: (stage: StreamStage) => Promise<Report>,
): Promise<Report> {
  const databaseUrl = await server.createDatabase()
  await migrate(databaseUrl)
  const env = { BENCH_DATABASE_URL: databaseUrl, NODE_ENV: "production" }
  const child = await startChild(script, env, ["--expose-gc"])
  const pool = createPool(databaseUrl, { max: 1, pipeline: true, idleTimeoutMs: 0 })
  try {
    return await playWithClients(child, clientScript, async (clients) => {
      const ask = async (request: ClientsRequest) => askChild(clients, request)
      return play({
        connect: async (count) => {
          await ask({ ask: "connect", transport, port: child.port, path, count })
          await server.settle()
        },
        flow: async ({ clients: count, eventsPerSecond, seconds, deadlineMs }) => {
          const events = Math.round(eventsPerSecond * seconds)
          const schedule = { startMs: nowMs() + 300, intervalMs: 1000 / eventsPerSecond, events }
          await ask({ ask: "begin", ...schedule })
          const sides = { server: [child.pid], clients: [clients.pid ?? 0], source: [process.pid] }
          const backends = await server.backends(databaseUrl)
          const read = () => ({
            server: cpuTimes(sides.server),
            clients: cpuTimes(sides.clients),
            source: cpuTimes(sides.source),
            database: cpuTimes(backends, "postgres"),
          })
          const before = read()
          const peak = watchPeak(child.pid)
          await logOnSchedule(pool, schedule, bodyOf)
          const report = (await ask({ ask: "end", deadlineMs })) as Latencies
          const wallMicros = (nowMs() - schedule.startMs) * 1000
          const after = read()
          const used = (side: keyof typeof after) => cpuBetween(before[side], after[side])
          const frames = count * events - report.missing
          return {
            ...report,
            cpuMicrosPerFrame: {
              server: round(used("server") / frames),
              clients: round(used("clients") / frames),
            },
            cores: {
              server: round(used("server") / wallMicros),
              clients: round(used("clients") / wallMicros),
              database: round(used("database") / wallMicros),
              source: round(used("source") / wallMicros),
            },
            peakMiB: round(peak.stop() / 2 ** 20, 1),
          }
        },
        memory: async () => {
          const response = await fetch(`http://127.0.0.1:${child.port}/memory`)
          return memory.parse(await response.json())
        },
      })
    })
  } finally {
    await pool.end()
  }
}

/** Looks at the resident bytes of a process ten times a second; `stop` answers the most that were seen. */
function watchPeak(pid: number): { stop: () => number } {
  let most = 0
  const look = (): void => {
    most = Math.max(most, residentBytes(pid))
  }
  look()
  const timer = setInterval(look, 100)
  return {
    stop: () => {
      look()
      clearInterval(timer)
      return most
    },
  }
}

/** NaN where this machine does not tell. */
function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kib === undefined ? Number.NaN : Number(kib) * 1024
  } catch {
    return Number.NaN
  }
}

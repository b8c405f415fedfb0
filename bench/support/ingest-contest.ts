import { execFileSync, fork } from "node:child_process"
import { once } from "node:events"
import { z } from "zod"
import { createPool } from "../../src/store/database.ts"
import { askChild } from "./ask-child.ts"
import type { BenchServer } from "./bench-database.ts"
import { startChild } from "./child-server.ts"
import { closedLoop, type LoadReport } from "./closed-loop.ts"
import { cpuBetween, cpuTimes, type CpuTimes } from "./cpu-time.ts"
import { requestMaker } from "./github-requests.ts"
import { payloadsOf, type ProfileName } from "./payload-profiles.ts"
import type { RawRequest } from "./raw-writer.ts"

/** Competitors, in the order in which the first round runs them, with what each enqueues. */
export const competitors = {
  ours: { script: "ingest-server.ts", job: "one a batch and priority" },
  textbook: { script: "textbook-server.ts", job: "boss.send each" },
  textbookWithoutJob: { script: "textbook-server.ts", job: "none" },
  insertPerRequest: { script: "insert-server.ts", job: "none" },
  rawRows: { script: "raw-writer.ts", job: "none" },
  rawTransaction: { script: "raw-writer.ts", job: "one a batch and priority" },
} as const
export type Competitor = keyof typeof competitors
export const competitorNames: readonly Competitor[] = [
  "ours",
  "textbook",
  "textbookWithoutJob",
  "insertPerRequest",
  "rawRows",
  "rawTransaction",
]

/** What a competitor is asked for. */
export interface Load {
  connections: number
  leadMs: number
  durationMs: number
}

/** What came of it; `LoadReport` with the processor's microseconds for each event, NaN where unknown. */
export interface IngestReport extends Omit<LoadReport, "refused"> {
  /** Answers that were no acknowledgement, and connections that ended without one. */
  turnedAway: number
  serverMicros: number
  databaseMicros: number
}

/** The competitors, each a process with a database of its own, on one profile's payloads. */
export interface Contest {
  drive(name: Competitor, load: Load): Promise<IngestReport>
  /** Resident memory of our server, in MiB. */
  residentMiB(): number
  /** Throws unless every event that was acknowledged is in its database. */
  checkStored(): Promise<void>
  stop(): Promise<void>
}

interface Contestant {
  databaseUrl: string
  pid: number
  load: (load: Load) => Promise<LoadReport>
  stop: () => Promise<void>
  /** Everything it acknowledged, the warm-up included. */
  accepted: number
  /** Everything that it did not, of which some may be stored all the same. */
  turnedAway: number
}

/** Bytes of bodies that our server holds at most; where more are under way, senders may be turned away. */
const heldBytes = 128 << 20

/** Starts every competitor. */
export async function openContest(
  server: BenchServer,
  profile: ProfileName,
  progress: (line: string) => void,
): Promise<Contest> {
  const payloads = payloadsOf(profile)
  const largest = Math.max(...payloads.map(({ body }) => body.length))
  const make = requestMaker("/webhooks/github", payloads)
  let made = 0
  const contestants = new Map<Competitor, Contestant>()
  const stop = async () => {
    await Promise.all([...contestants.values()].map((contestant) => contestant.stop()))
  }

  async function enter(name: Competitor): Promise<Contestant> {
    const databaseUrl = await server.createDatabase()
    const { script, job } = competitors[name]
    const file = new URL(script, import.meta.url)
    const env = {
      BENCH_DATABASE_URL: databaseUrl,
      BENCH_JOB: job,
      BENCH_PROFILE: profile,
      NODE_ENV: "production",
    }
    if (script === "raw-writer.ts")
      return { databaseUrl, accepted: 0, turnedAway: 0, ...(await startRaw(file, env)) }
    const child = await startChild(file, env)
    const { pid, port } = child
    const load = (wanted: Load) => closedLoop({ ...wanted, port, next: () => make(made++) })
    return { databaseUrl, pid, load, stop: () => child.stop(), accepted: 0, turnedAway: 0 }
  }

  function contestantOf(name: Competitor): Contestant {
    const contestant = contestants.get(name)
    if (contestant === undefined) throw new Error(`${name} is not in the contest`)
    return contestant
  }

  async function drive(name: Competitor, load: Load): Promise<IngestReport> {
    const contestant = contestantOf(name)
    const before = await timesOf(contestant)
    const { refused, ...report } = await contestant.load(load)
    const turnedAway = Object.values(refused).reduce((sum, count) => sum + count, 0)
    if (turnedAway > 0 && load.connections * largest <= heldBytes) {
      throw new Error(`${name} refused: ${JSON.stringify(refused)}`)
    }
    contestant.turnedAway += turnedAway
    contestant.accepted += report.accepted
    const after = await timesOf(contestant)
    return {
      ...report,
      turnedAway,
      serverMicros: cpuBetween(before.server, after.server) / report.accepted,
      databaseMicros: cpuBetween(before.database, after.database) / report.accepted,
    }
  }

  async function timesOf({ pid, databaseUrl }: Contestant): Promise<Record<"server" | "database", CpuTimes>> {
    const backends = await server.backends(databaseUrl)
    return { server: cpuTimes([pid]), database: cpuTimes(backends, "postgres") }
  }

  try {
    for (const name of competitorNames) {
      progress(`starting ${name}`)
      contestants.set(name, await enter(name))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    drive,
    residentMiB: () => residentMiB(contestantOf("ours").pid),
    async checkStored() {
      for (const [name, contestant] of contestants) await checkStored(name, contestant)
    },
    stop,
  }
}

const rawReport = z.object({ perSecond: z.number(), accepted: z.number() })

async function startRaw(
  file: URL,
  env: Readonly<Record<string, string>>,
): Promise<Pick<Contestant, "pid" | "load" | "stop">> {
  const child = fork(file, { env: { ...process.env, ...env } })
  const ended = once(child, "exit")
  const failed = ended.then(() => {
    throw new Error("the raw writer did not start")
  })
  failed.catch(() => {})
  await Promise.race([once(child, "message"), failed])
  return {
    pid: child.pid ?? 0,
    async load({ leadMs, durationMs }) {
      const request: RawRequest = { leadMs, durationMs }
      const answer = rawReport.parse(await askChild(child, { ...request }))
      return { ...answer, latenciesMs: [], refused: {} }
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function residentMiB(pid: number): number {
  const kib = execFileSync("ps", ["-o", "rss=", "-p", `${pid}`], { encoding: "utf8" })
  return Math.round(Number(kib) / 1024)
}

/** What was acknowledged must be there, every single one, or the figures mean nothing. */
async function checkStored(
  name: Competitor,
  { databaseUrl, accepted, turnedAway }: Contestant,
): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1 })
  const { rows } = await pool.query<{ count: number }>("select count(*) from events")
  await pool.end()
  const stored = rows[0]?.count ?? 0
  if (stored < accepted || stored > accepted + turnedAway) {
    throw new Error(`${name} acknowledged ${accepted} events and stored ${stored}`)
  }
}

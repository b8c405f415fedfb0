import { once } from "node:events"
import { createServer } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Pool } from "pg"
import type { BenchServer } from "./bench-database.ts"
import { startHub, startReceiver, type Receiver } from "./delivery-contest.ts"
import { fillLog } from "./delivery-load.ts"
import { latenciesOf, type Latencies } from "./latencies.ts"
import { listen } from "./listen.ts"
import type { BenchReport } from "./result.ts"
import { median, medianRatio, round } from "./statistics.ts"
import { takeTurns } from "./take-turns.ts"

const good = 8
const eventsPerSecond = 100
const events = 500
const warmUpEvents = 100

type Case = "alone" | "withBad"

export interface IsolationOptions {
  rounds: number
  progress: (line: string) => void
  loadBefore: number[]
}

/**
 * Latency from the time an event was due to be logged to its arrival at each of 8 receivers, alone and
 * with two more subscriptions to the same events: one whose receiver answers after 30 s, one that refuses.
 */
export async function isolationReport(
  server: BenchServer,
  { rounds, progress, loadBefore }: IsolationOptions,
): Promise<BenchReport> {
  const receiver = await startReceiver()
  const hub = await startHub(server)
  const refusing = await closedPort()
  let made = 0

  async function play(name: Case): Promise<Latencies> {
    const urls = Array.from({ length: good }, (_, n) => `${receiver.origin}/good${n}`)
    if (name === "withBad") urls.push(`${receiver.origin}/slow`, `http://127.0.0.1:${refusing}/`)
    const ids: string[] = []
    for (const url of urls) {
      ids.push(await hub.api.subscribe({ name: `bench-${++made}`, url, timeoutMs: 60_000 }))
    }
    for (const id of ids) await hub.api.resume(id)
    await sleep(2_000) // until all of them are at work
    await flow(hub.pool, receiver, warmUpEvents)
    await server.settle()
    const latencies = await flow(hub.pool, receiver, events)
    for (const id of ids) await hub.api.remove(id)
    return latencies
  }

  try {
    await play("withBad")
    const reports = await takeTurns<Case, Latencies>(["alone", "withBad"], rounds, play, (turn) => {
      const { p50Ms, p95Ms, p99Ms } = turn.report
      progress(
        `round ${turn.round} of ${rounds}: ${turn.name} p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms`,
      )
    })
    return reportOf(reports, { rounds, loadBefore, database: server.description })
  } finally {
    await hub.stop()
    await receiver.stop()
  }
}

/** Logs events at their due times, and times their arrivals at the good receivers. */
async function flow(pool: Pool, receiver: Receiver, count: number): Promise<Latencies> {
  await receiver.begin()
  const intervalMs = 1_000 / eventsPerSecond
  const startMs = now() + 100
  for (let n = 0; n < count; n++) {
    await sleep(Math.max(0, startMs + n * intervalMs - now()))
    await fillLog(pool, 1, 1)
  }
  const { paths, arrivals } = await receiver.end(count * good)
  // Each receiver gets them in the order of the log, near enough: the n-th to come was the n-th due.
  const seen = new Map<string, number>()
  const latencies: number[] = []
  for (const [index, path] of paths.entries()) {
    const nth = seen.get(path) ?? 0
    seen.set(path, nth + 1)
    latencies.push((arrivals[index] ?? 0) - (startMs + nth * intervalMs))
  }
  return latenciesOf(latencies, 0)
}

function reportOf(
  reports: ReadonlyMap<Case, Latencies[]>,
  conditions: { rounds: number; loadBefore: number[]; database: string },
): BenchReport {
  const p95 = (name: Case) => (reports.get(name) ?? []).map(({ p95Ms }) => p95Ms)
  const figures = {
    unit: `ms at p95, from the due time to each of ${good} receivers`,
    aloneP95Ms: round(median(p95("alone"))),
    withBadP95Ms: round(median(p95("withBad"))),
    ratio: round(medianRatio(p95("withBad"), p95("alone"))),
    rounds: Object.fromEntries(reports),
  }
  return {
    bench: "delivery",
    lines: [
      `delivery: p95 at ${good} receivers`,
      `  alone: ${figures.aloneP95Ms} ms`,
      `  with one that answers after 30 s and one that refuses: ${figures.withBadP95Ms} ms, ${figures.ratio} times that`,
    ],
    figures,
    conditions: {
      ...conditions,
      eventsPerSecond,
      eventsARound: events,
      openLoop: "counted from the due time",
    },
  }
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, "close")
  return port
}

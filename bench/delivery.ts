import { availableParallelism, loadavg } from "node:os"
import { SignalboxError } from "../src/core/errors.ts"
import { openBenchServer, type BenchServer } from "./support/bench-database.ts"
import {
  bareUndici,
  ours,
  startReceiver,
  textbook,
  type Deliverer,
  type DeliveryRound,
} from "./support/delivery-contest.ts"
import { deliveredBodies, inFlight } from "./support/delivery-load.ts"
import { isolationReport } from "./support/delivery-isolation.ts"
import type { BenchOptions, BenchReport } from "./support/result.ts"
import { median, medianRatio, round } from "./support/statistics.ts"
import { takeTurns } from "./support/take-turns.ts"

export const options = {
  events: { type: "string", default: "10000" },
  rounds: { type: "string", default: "5" },
  isolation: { type: "boolean", default: false },
} as const

const competitors = { ours, oursSpread: ours, bareUndici, textbook } as const
type Competitor = keyof typeof competitors
const names: readonly Competitor[] = ["ours", "oursSpread", "bareUndici", "textbook"]
const spread = 16

/**
 * Deliveries a second, signed, 8 KiB each, every attempt recorded: a backlog of events to one receiver, and
 * the same spread over 16 subscriptions; against undici alone, which records nothing, and against jobs of
 * pg-boss. With `--isolation`: what a receiver that hangs and one that refuses mean for the others.
 */
export async function run(bench: BenchOptions): Promise<BenchReport> {
  const { values, progress } = bench
  const events = wholeNumber("events", values["events"])
  const rounds = wholeNumber("rounds", values["rounds"])
  const loadBefore = loadavg()
  const server = await openBenchServer()
  try {
    if (values["isolation"] === true) return await isolationReport(server, { rounds, progress, loadBefore })
    const reports = await contest(server, events, rounds, progress)
    return reportOf(reports, { events, rounds, database: server.description, loadBefore })
  } finally {
    await server.stop()
  }
}

async function contest(
  server: BenchServer,
  events: number,
  rounds: number,
  progress: (line: string) => void,
): Promise<Map<Competitor, DeliveryRound[]>> {
  const receiver = await startReceiver()
  const deliverers = new Map<Competitor, Deliverer>()
  const deliver = async (name: Competitor): Promise<DeliveryRound> => {
    const deliverer = deliverers.get(name)
    if (deliverer === undefined) throw new Error(`${name} is not in the contest`)
    return deliverer.play(events, name === "oursSpread" ? spread : 1)
  }
  try {
    for (const name of names) {
      progress(`starting ${name}, and one round of it that does not count`)
      deliverers.set(name, await competitors[name](server, receiver))
      await deliver(name)
    }
    return await takeTurns(names, rounds, deliver, ({ round: number, name, report }) => {
      const { perSecond, senderMicros, databaseMicros } = report
      const cpu = `${Math.round(senderMicros)} + ${Math.round(databaseMicros || 0)} µs each`
      progress(`round ${number} of ${rounds}: ${name} ${Math.round(perSecond)}/s, ${cpu}`)
    })
  } finally {
    for (const deliverer of deliverers.values()) await deliverer.stop()
    await receiver.stop()
  }
}

function reportOf(
  reports: ReadonlyMap<Competitor, DeliveryRound[]>,
  conditions: { events: number; rounds: number; database: string; loadBefore: number[] },
): BenchReport {
  const figures = (name: Competitor, figure: keyof DeliveryRound) =>
    (reports.get(name) ?? []).map((report) => report[figure])
  const middle = (name: Competitor, figure: keyof DeliveryRound) => round(median(figures(name, figure)), 1)
  const ratio = (name: Competitor, of: Competitor) =>
    round(medianRatio(figures(name, "perSecond"), figures(of, "perSecond")))
  const ratios = {
    ours: { bareUndici: ratio("ours", "bareUndici"), textbook: ratio("ours", "textbook") },
    oursSpread: { bareUndici: ratio("oursSpread", "bareUndici"), textbook: ratio("oursSpread", "textbook") },
  }
  const perSecond = Object.fromEntries(names.map((name) => [name, middle(name, "perSecond")]))
  const cpuMicros = Object.fromEntries(
    names.map((name) => [
      name,
      { sender: middle(name, "senderMicros"), database: middle(name, "databaseMicros") },
    ]),
  )
  const line = (name: Competitor) => {
    const { sender = 0, database = 0 } = cpuMicros[name] ?? {}
    const cpu = `${sender} µs of the sender, ${database || 0} µs of PostgreSQL`
    return `  ${name}: ${perSecond[name]}/s; each ${cpu}`
  }
  return {
    bench: "delivery",
    lines: [
      "delivery: deliveries a second, 8 KiB, signed",
      ...names.map(line),
      `  to one receiver: ${ratios.ours.bareUndici} of bare undici, ${ratios.ours.textbook} times the textbook`,
      `  spread over ${spread}: ${ratios.oursSpread.bareUndici} of bare undici, ${ratios.oursSpread.textbook} times the textbook`,
    ],
    figures: { unit: "deliveries/s", perSecond, ratios, cpuMicros, rounds: Object.fromEntries(reports) },
    conditions: {
      ...conditions,
      payloads: `${deliveredBodies.length} pushes of 8 KiB in turn; ours are enveloped besides`,
      ours: `every role in one process; a backlog in the log, ${inFlight} in flight; from the first arrival until every attempt is a row`,
      bareUndici: `request in a loop, ${inFlight} in flight, signed, nothing recorded`,
      textbook: "a job of pg-boss each, work() with batchSize 50, one row an attempt",
      receiver: "node:http in another process, 204 at once",
      node: process.version,
      cores: availableParallelism(),
    },
  }
}

function wholeNumber(name: string, text: unknown): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new SignalboxError("bad_request", `--${name} must be a whole number from 1 up`)
}

import { availableParallelism, loadavg } from "node:os"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { SignalboxError } from "../src/core/errors.ts"
import { natsSettings, readNatsUrl } from "../src/nats/settings.ts"
import { openDatabase } from "../src/store/database.ts"
import { migrate } from "../src/store/migrate.ts"
import { logEvents } from "../test/support/events.ts"
import { openBenchServer } from "./support/bench-database.ts"
import { barePublish, fromDatabase, fromNats, publisher, type NatsCase } from "./support/nats-cases.ts"
import type { BenchOptions, BenchReport } from "./support/result.ts"
import { median, medianRatio, round } from "./support/statistics.ts"
import { takeTurns } from "./support/take-turns.ts"

export const options = {
  events: { type: "string", default: "6000" },
  rounds: { type: "string", default: "5" },
  url: { type: "string", default: "nats://127.0.0.1:4222" },
} as const

const cases = { publisher, barePublish, fromDatabase, fromNats } as const
type Case = keyof typeof cases
const names: readonly Case[] = ["publisher", "barePublish", "fromDatabase", "fromNats"]

interface Round {
  perSecond: number
  /** Processor time of this process for each event; the servers' is not in it. */
  cpuMicros: number
}

/**
 * Events a second into NATS and out of it, 12 KB each, on a running server: the publisher over a log that is
 * there, against the client of NATS alone with the same bytes; and what a stream node does with each event,
 * by NATS against by the database.
 */
export async function run({ values, progress }: BenchOptions): Promise<BenchReport> {
  const events = wholeNumber("events", values["events"])
  const rounds = wholeNumber("rounds", values["rounds"])
  const settings = natsSettings({ NATS_URL: readNatsUrl(String(values["url"])) ?? undefined })
  if (settings === undefined) throw new SignalboxError("bad_request", "--url takes nats://host:port")
  const loadBefore = loadavg()
  const server = await openBenchServer()
  const url = await server.createDatabase()
  await migrate(url)
  const database = openDatabase({ url })
  const connection = await connectTo(settings.address.servers)
  try {
    progress(`logging ${events} events`)
    for (let n = 0; n < events; n += 500) await logEvents(database.work, bodies(Math.min(500, events - n)))
    const manager = await jetstreamManager(connection)
    const setting: NatsCase = { database, connection, js: jetstream(connection), manager, settings, events }
    const play = async (name: Case): Promise<Round> => {
      await cases[name].prepare(setting)
      const begun = performance.now()
      const before = process.cpuUsage()
      await cases[name].play(setting)
      const seconds = (performance.now() - begun) / 1_000
      const { user, system } = process.cpuUsage(before)
      return { perSecond: events / seconds, cpuMicros: (user + system) / events }
    }
    for (const name of names) await play(name) // does not count
    const reports = await takeTurns(names, rounds, play, ({ round: number, name, report }) =>
      progress(`round ${number} of ${rounds}: ${name} ${Math.round(report.perSecond)}/s`),
    )
    return reportOf(reports, {
      events,
      rounds,
      nats: connection.info?.version,
      database: server.description,
      node: process.version,
      cores: availableParallelism(),
      loadBefore,
    })
  } finally {
    await barePublish.clear(connection)
    await connection.close()
    await database.close()
    await server.stop()
  }
}

function reportOf(
  reports: ReadonlyMap<Case, readonly Round[]>,
  conditions: Record<string, unknown>,
): BenchReport {
  const rates = (name: Case): number[] => (reports.get(name) ?? []).map(({ perSecond }) => perSecond)
  const cpu = (name: Case): number => median((reports.get(name) ?? []).map(({ cpuMicros }) => cpuMicros))
  const figures = {
    perSecond: Object.fromEntries(names.map((name) => [name, Math.round(median(rates(name)))])),
    cpuMicrosPerEvent: Object.fromEntries(names.map((name) => [name, Math.round(cpu(name))])),
    ratios: {
      publisherToBare: round(medianRatio(rates("publisher"), rates("barePublish"))),
      natsToDatabase: round(medianRatio(rates("fromNats"), rates("fromDatabase"))),
    },
  }
  const lines = names.map(
    (name) =>
      `${name}: ${figures.perSecond[name]} events/s, ${figures.cpuMicrosPerEvent[name]} µs of processor time each`,
  )
  const { publisherToBare, natsToDatabase } = figures.ratios
  lines.push(`the publisher does ${publisherToBare} of what the client of NATS does alone`)
  lines.push(`a stream node takes ${natsToDatabase} times as many events from NATS as from the database`)
  return { bench: "nats", lines, figures, conditions }
}

async function connectTo(servers: string[]): Promise<NatsConnection> {
  try {
    return await connect({ servers, reconnect: false, noAsyncTraces: true })
  } catch (cause) {
    throw new SignalboxError("bad_request", "there is no NATS at --url: start nats-server -js", { cause })
  }
}

function bodies(count: number): { type: string; payload: unknown }[] {
  const items = Array.from({ length: 200 }, (_, id) => ({
    id,
    name: `item ${id}`,
    url: `https://x.example/${id}`,
  }))
  return Array.from({ length: count }, () => ({ type: "github.pull_request.opened", payload: { items } }))
}

function wholeNumber(name: string, value: unknown): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new SignalboxError("bad_request", `--${name} takes a whole number`)
}

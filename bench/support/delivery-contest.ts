import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { createPool } from "../../src/store/database.ts"
import { migrate } from "../../src/store/migrate.ts"
import { askChild } from "./ask-child.ts"
import type { BareRequest } from "./bare-sender.ts"
import type { BenchServer } from "./bench-database.ts"
import { startChild } from "./child-server.ts"
import { cpuBetween, cpuTimes } from "./cpu-time.ts"
import { deliveryApi, type DeliveryApi } from "./delivery-api.ts"
import { fillLog, inFlight, storeBodies } from "./delivery-load.ts"
import type { ReceiverReport, ReceiverRequest } from "./delivery-receiver.ts"
import type { TextbookRequest } from "./textbook-deliverer.ts"

/** What a round came to. */
export interface DeliveryRound {
  perSecond: number
  /** Processor time of the sending process, and of its PostgreSQL sessions, for each delivery. */
  senderMicros: number
  databaseMicros: number
}

/** Somebody who delivers; `parts` are the receivers that a backlog is spread over. */
export interface Deliverer {
  play(count: number, parts: number): Promise<DeliveryRound>
  stop(): Promise<void>
}

/** The receiver, a process of its own. */
export interface Receiver {
  origin: string
  begin(): Promise<void>
  /** What came since; throws where it is less than `count` by the deadline. */
  end(count: number): Promise<ReceiverReport>
  stop(): Promise<void>
}

const receiverReport: z.ZodType<ReceiverReport> = z.object({
  paths: z.array(z.string()),
  arrivals: z.instanceof(Float64Array),
})
const deadlineMs = 120_000
/** Until our streams, which follow the log as well, have seen the backlog: a delivery costs what it costs alone. */
const feedMs = 1_500
const benchKey = "a-key-for-the-bench-of-32-characters-or-more"

/** Starts the receiver. */
export async function startReceiver(): Promise<Receiver> {
  const child = fork(new URL("delivery-receiver.ts", import.meta.url), { serialization: "advanced" })
  const ask = (request: ReceiverRequest) => askChild(child, { ...request })
  const { port } = z.object({ port: z.number() }).parse(await ask({ ask: "listen" }))
  return {
    origin: `http://127.0.0.1:${port}`,
    begin: async () => void (await ask({ ask: "begin" })),
    async end(count) {
      const report = receiverReport.parse(await ask({ ask: "end", count, deadlineMs }))
      if (report.arrivals.length < count)
        throw new Error(`${report.arrivals.length} of ${count} deliveries came in time`)
      return report
    },
    stop: () => ended(child),
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit")
  child.disconnect()
  await exited
}

/** A hub in a process and with a database of its own. */
export async function startHub(server: BenchServer) {
  const databaseUrl = await server.createDatabase()
  await migrate(databaseUrl)
  const pool = createPool(databaseUrl, { max: 1 })
  await storeBodies(pool)
  const child = await startChild(new URL("delivery-server.ts", import.meta.url), {
    BENCH_DATABASE_URL: databaseUrl,
    BENCH_KEY: benchKey,
    NODE_ENV: "production",
  })
  const api: DeliveryApi = deliveryApi(child.port, benchKey)
  const stop = async () => {
    await pool.end()
    await child.stop()
  }
  return { databaseUrl, pool, api, pid: child.pid, stop }
}

/** Ours: a backlog in the log, delivered as soon as its subscriptions are resumed; over when every attempt is recorded. */
export async function ours(server: BenchServer, receiver: Receiver): Promise<Deliverer> {
  const { databaseUrl, pool, api, pid, stop } = await startHub(server)
  let made = 0

  async function unsettled(): Promise<number> {
    const { rows } = await pool.query<{ count: number }>(
      "select count(*) from event_deliveries where status in ('running', 'retrying')",
    )
    return rows[0]?.count ?? 0
  }

  async function recorded(ids: readonly string[]): Promise<number> {
    const { rows } = await pool.query<{ count: number }>(
      `select count(*) from webhook_attempts a join event_deliveries d using (event_id, subscription_id)
       where a.subscription_id = any($1) and d.status = 'delivered' and a.status_code = 204`,
      [ids],
    )
    return rows[0]?.count ?? 0
  }

  return {
    async play(count, parts) {
      const ids: string[] = []
      for (let part = 0; part < parts; part++) {
        const name = `bench-${++made}`
        const filter = parts === 1 ? {} : { types: [`custom.part${part}.*`] }
        const url = `${receiver.origin}/${part}`
        const concurrency = Math.ceil(inFlight / parts)
        ids.push(await api.subscribe({ name, url, filter, concurrency }))
      }
      await fillLog(pool, count, parts)
      await server.settle()
      await sleep(feedMs)
      await receiver.begin()
      const before = await timesOf(server, pid, databaseUrl)
      for (const id of ids) await api.resume(id)
      const { arrivals } = await receiver.end(count)
      while ((await unsettled()) > 0) await sleep(2)
      const doneMs = Number(process.hrtime.bigint()) / 1e6
      const round = roundOf(count, arrivals, doneMs, before, await timesOf(server, pid, databaseUrl))
      const rows = await recorded(ids)
      if (rows !== count) throw new Error(`of ${count} deliveries ${rows} are recorded`)
      for (const id of ids) await api.remove(id)
      return round
    },
    stop,
  }
}

const done = z.object({ doneMs: z.number() })

/** The limit: undici alone. */
export async function bareUndici(server: BenchServer, receiver: Receiver): Promise<Deliverer> {
  const child = fork(new URL("bare-sender.ts", import.meta.url))
  const pid = child.pid ?? 0
  return {
    async play(count) {
      await server.settle()
      await receiver.begin()
      const before = await timesOf(server, pid)
      const request: BareRequest = { origin: receiver.origin, count }
      const { doneMs } = done.parse(await askChild(child, { ...request }))
      const after = await timesOf(server, pid)
      const { arrivals } = await receiver.end(count)
      return roundOf(count, arrivals, doneMs, before, after)
    },
    stop: () => ended(child),
  }
}

/** The usual way: a job of pg-boss for each delivery. */
export async function textbook(server: BenchServer, receiver: Receiver): Promise<Deliverer> {
  const databaseUrl = await server.createDatabase()
  const script = new URL("textbook-deliverer.ts", import.meta.url)
  const child = fork(script, { env: { ...process.env, BENCH_DATABASE_URL: databaseUrl } })
  const ask = (request: TextbookRequest) => askChild(child, { ...request })
  await ask({ ask: "start", origin: receiver.origin })
  const pid = child.pid ?? 0
  return {
    async play(count) {
      await ask({ ask: "fill", count })
      await server.settle()
      await receiver.begin()
      const before = await timesOf(server, pid, databaseUrl)
      const { doneMs } = done.parse(await ask({ ask: "deliver", count }))
      const after = await timesOf(server, pid, databaseUrl)
      const { arrivals } = await receiver.end(count)
      return roundOf(count, arrivals, doneMs, before, after)
    },
    async stop() {
      await ask({ ask: "stop" })
      await ended(child)
    },
  }
}

async function timesOf(server: BenchServer, pid: number, databaseUrl?: string) {
  const backends = databaseUrl === undefined ? [] : await server.backends(databaseUrl)
  return { sender: cpuTimes([pid]), database: cpuTimes(backends, "postgres") }
}

type Times = Awaited<ReturnType<typeof timesOf>>

function roundOf(
  count: number,
  arrivals: Float64Array,
  doneMs: number,
  before: Times,
  after: Times,
): DeliveryRound {
  return {
    perSecond: (count * 1_000) / (doneMs - (arrivals[0] ?? doneMs)),
    senderMicros: cpuBetween(before.sender, after.sender) / count,
    databaseMicros: cpuBetween(before.database, after.database) / count,
  }
}

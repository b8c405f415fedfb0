/**
 * Child process of the SSE bench: the clients. Bare sockets that look for the blank lines which end
 * frames and note the time, no more: on two cores a better client would take from the server what it
 * measures. The first client also reads the ids, and checks their order.
 */
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { percentile, round } from "./statistics.ts"

/** What the bench asks of this process, each answered by one message. */
export type ClientsRequest =
  | { ask: "connect"; port: number; path: string; count: number }
  /** Frames from now on count; frame n of a client was due at `startNs + n * intervalNs` (CLOCK_MONOTONIC). */
  | { ask: "measure"; startNs: string; intervalMs: number; events: number; deadlineMs: number }
  | { ask: "disconnect" }

export interface ClientsReport {
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
  /** Frames that had not come by the deadline; they count as if they had come then. */
  missing: number
}

interface Client {
  socket: Socket
  frames: number
  endedInNewline: boolean
}

/** What is being measured. */
interface Run {
  startNs: bigint
  intervalMs: number
  latencies: Float64Array
  filled: number
  firstClient: Buffer[]
}

const newline = 10
const buffer = Buffer.allocUnsafe(256 << 10)
let clients: Client[] = []
let run: Run | undefined

async function open(port: number, path: string, index: number): Promise<Client> {
  const { promise, resolve, reject } = Promise.withResolvers<Client>()
  const socket = connect({
    port,
    host: "127.0.0.1",
    onread: {
      buffer,
      callback: (length, bytes) => {
        take(client, Buffer.from(bytes.buffer, bytes.byteOffset, length), index)
        if (client.frames > 0) resolve(client)
        return true
      },
    },
  })
  const client: Client = { socket, frames: 0, endedInNewline: false }
  socket.on("error", reject)
  socket.on("close", () => reject(new Error("the server closed a connection before its first bytes")))
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`)
  return promise
}

function take(client: Client, bytes: Buffer, index: number): void {
  const now = process.hrtime.bigint()
  if (index === 0) run?.firstClient.push(Buffer.from(bytes))
  if (client.endedInNewline && bytes[0] === newline) frame(client, now)
  for (let at = bytes.indexOf("\n\n"); at !== -1; at = bytes.indexOf("\n\n", at + 2)) frame(client, now)
  client.endedInNewline = bytes.at(-1) === newline && bytes.at(-2) !== newline
}

function frame(client: Client, now: bigint): void {
  if (run !== undefined && run.filled < run.latencies.length) {
    run.latencies[run.filled++] = Number(now - run.startNs) / 1e6 - client.frames * run.intervalMs
  }
  client.frames++
}

async function measure(request: Extract<ClientsRequest, { ask: "measure" }>): Promise<ClientsReport> {
  for (const client of clients) client.frames = 0
  run = {
    startNs: BigInt(request.startNs),
    intervalMs: request.intervalMs,
    latencies: new Float64Array(clients.length * request.events),
    filled: 0,
    firstClient: [],
  }
  const measured = run
  process.send?.({ ready: true })
  const deadline = performance.now() + request.deadlineMs
  while (measured.filled < measured.latencies.length && performance.now() < deadline) await sleep(20)
  run = undefined
  const { latencies, filled, firstClient } = measured
  latencies.fill(request.deadlineMs, filled)
  checkOrder(firstClient)
  const values = Array.from(latencies)
  return {
    p50Ms: round(percentile(values, 0.5)),
    p95Ms: round(percentile(values, 0.95)),
    p99Ms: round(percentile(values, 0.99)),
    maxMs: round(percentile(values, 1)),
    missing: latencies.length - filled,
  }
}

/** The figures of a stream that skips or repeats mean nothing. */
function checkOrder(firstClient: readonly Buffer[]): void {
  const text = Buffer.concat(firstClient).toString("latin1")
  const ids = Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id))
  const broken = ids.findIndex((id, index) => index > 0 && id !== (ids[index - 1] ?? 0) + 1)
  if (broken !== -1) throw new Error(`position ${ids[broken]} came after ${ids[broken - 1]}`)
}

async function answer(request: ClientsRequest): Promise<ClientsReport | { done: true }> {
  if (request.ask === "measure") return measure(request)
  if (request.ask === "connect") {
    const opening = Array.from({ length: request.count }, (_, index) =>
      open(request.port, request.path, index),
    )
    clients = await Promise.all(opening)
  } else {
    for (const { socket } of clients) socket.destroy()
    clients = []
  }
  return { done: true }
}

process.on("message", (request: ClientsRequest) => {
  answer(request).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.once("disconnect", () => process.exit())

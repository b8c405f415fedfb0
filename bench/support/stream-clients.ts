/**
 * Child process of the stream benches: the clients. Bare sockets that look for the ends of frames and
 * note the time, no more: on two cores a better client would take from the server what it measures. The
 * first client also keeps what it reads, to check its order.
 */
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { tellParent } from "./ask-child.ts"
import { readBuffer, transports, type FrameCounter, type TransportName } from "./stream-frames.ts"
import { latenciesOf, type Latencies } from "./latencies.ts"

/** What the bench asks of this process, each answered by one message. */
export type ClientsRequest =
  /** Replaces the clients that there are by `count` others. */
  | { ask: "connect"; transport: TransportName; port: number; path: string; count: number }
  /** Frames from now on count; frame n of a client is due at `startMs + n * intervalMs` (CLOCK_MONOTONIC). */
  | { ask: "begin"; startMs: number; intervalMs: number; events: number }
  /** Waits until every client has every frame, or the deadline; answers Latencies. */
  | { ask: "end"; deadlineMs: number }

interface Client {
  socket: Socket
  frames: number
  countFrames: FrameCounter
}

/** What is being measured. */
interface Run {
  startMs: number
  intervalMs: number
  /** Milliseconds, a frame each, in the order in which they came. */
  latencies: Float32Array
  filled: number
  firstClient: Buffer[]
}

const atOnce = 200 // as they come back one by one; a storm of openings is not what is measured
const sourceAddresses = 4 // of 127.0.0.0/8, so that connections do not run out of ports
const startedMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()
let clients: Client[] = []
let transport: TransportName = "sse"
let run: Run | undefined

function open(port: number, path: string, index: number): Promise<Client> {
  const { promise, resolve, reject } = Promise.withResolvers<Client>()
  const socket = connect({
    port,
    host: "127.0.0.1",
    localAddress: `127.0.0.${1 + (index % sourceAddresses)}`,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        take(client, length, index === 0)
        if (client.frames > 0) resolve(client)
        return true
      },
    },
  })
  const client: Client = { socket, frames: 0, countFrames: transports[transport].counter() }
  socket.on("error", reject)
  socket.on("close", () => reject(new Error("the server closed a connection before its first bytes")))
  socket.write(transports[transport].request(path))
  return promise
}

function take(client: Client, length: number, isKept: boolean): void {
  const now = startedMs + performance.now()
  if (isKept) run?.firstClient.push(Buffer.from(readBuffer.subarray(0, length)))
  for (let ended = client.countFrames(length); ended > 0; ended--) {
    if (run !== undefined && run.filled < run.latencies.length) {
      run.latencies[run.filled++] = now - run.startMs - client.frames * run.intervalMs
    }
    client.frames++
  }
}

async function openAll(request: Extract<ClientsRequest, { ask: "connect" }>): Promise<void> {
  for (const { socket } of clients) socket.destroy()
  clients = []
  transport = request.transport
  while (clients.length < request.count) {
    const count = Math.min(atOnce, request.count - clients.length)
    const next = Array.from({ length: count }, (_, index) =>
      open(request.port, request.path, clients.length + index),
    )
    clients.push(...(await Promise.all(next)))
  }
}

function begin({ startMs, intervalMs, events }: Extract<ClientsRequest, { ask: "begin" }>): void {
  for (const client of clients) client.frames = 0
  const latencies = new Float32Array(clients.length * events)
  run = { startMs, intervalMs, latencies, filled: 0, firstClient: [] }
}

async function end(deadlineMs: number): Promise<Latencies> {
  if (run === undefined) throw new Error("nothing was begun")
  const measured = run
  const { latencies, firstClient } = measured
  const deadline = performance.now() + deadlineMs
  while (measured.filled < latencies.length && performance.now() < deadline) await sleep(10)
  run = undefined
  const missing = latencies.length - measured.filled
  latencies.fill(startedMs + performance.now() - measured.startMs, measured.filled)
  checkOrder(firstClient)
  return latenciesOf(latencies, missing)
}

/** The figures of a stream that skips or repeats mean nothing. */
function checkOrder(firstClient: readonly Buffer[]): void {
  const text = Buffer.concat(firstClient).toString("latin1")
  const positions = Array.from(text.matchAll(transports[transport].position), ([, digits]) => Number(digits))
  const broken = positions.findIndex((at, index) => index > 0 && at !== (positions[index - 1] ?? 0) + 1)
  if (broken !== -1) throw new Error(`position ${positions[broken]} came after ${positions[broken - 1]}`)
}

async function answer(request: ClientsRequest): Promise<Latencies | { done: true }> {
  if (request.ask === "end") return end(request.deadlineMs)
  if (request.ask === "connect") await openAll(request)
  else begin(request)
  return { done: true }
}

process.on("message", (request: ClientsRequest) => tellParent(answer(request)))
process.once("disconnect", () => process.exit())

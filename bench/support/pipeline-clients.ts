/**
 * Child process of the pipeline bench: the SSE clients. Bare sockets that note when each frame ends,
 * no more. All clients of a stream get the same frames in the same order, so the first one alone
 * keeps what it reads, to tell which event each frame was.
 */
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { tellParent } from "./ask-child.ts"
import { framesEnded, type FrameEnd } from "./frames-ended.ts"

/** What the bench asks of this process, each answered by one message. */
export type PipelineClientsRequest =
  | { ask: "connect"; port: number; path: string; key: string; count: number }
  /** Frames from now on count. */
  | { ask: "begin"; events: number }
  /** Wait until every client has every frame, or the deadline; answers PipelineClientsReport. */
  | { ask: "end"; deadlineMs: number }

export interface PipelineClientsReport {
  /** Of the first client's frames: the number at the end of the delivery GUID. */
  order: number[]
  /** By client: when each of its frames came (CLOCK_MONOTONIC, milliseconds). */
  arrivals: number[][]
}

interface Client extends FrameEnd {
  arrivals: number[]
}

const buffer = Buffer.allocUnsafe(1 << 20)
let clients: Client[] = []
let kept: Buffer[] = []
let expected = 0

function open(index: number, port: number, path: string, key: string): Promise<Client> {
  const { promise, resolve, reject } = Promise.withResolvers<Client>()
  const client: Client = { arrivals: [], endedInNewline: false }
  let isOpen = false
  const socket = connect({
    port,
    host: "127.0.0.1",
    onread: {
      buffer,
      callback: (length, bytes) => {
        const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, length)
        if (!isOpen && !chunk.toString("latin1", 0, 12).endsWith(" 200")) {
          reject(new Error(`no stream: ${chunk.toString("latin1")}`))
        }
        isOpen = true
        take(client, chunk, index === 0)
        resolve(client)
        return true
      },
    },
  })
  socket.on("error", reject)
  socket.on("close", () => reject(new Error("the server closed a connection before its first bytes")))
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Accept: text/event-stream",
    `Authorization: Bearer ${key}`,
  ]
  socket.write(`${lines.join("\r\n")}\r\n\r\n`)
  return promise
}

function take(client: Client, bytes: Buffer, isKept: boolean): void {
  const now = Number(process.hrtime.bigint()) / 1e6
  if (isKept) kept.push(Buffer.from(bytes))
  for (let ended = framesEnded(client, bytes); ended > 0; ended--) client.arrivals.push(now)
}

async function end(deadlineMs: number): Promise<PipelineClientsReport> {
  const deadline = performance.now() + deadlineMs
  while (performance.now() < deadline && clients.some(({ arrivals }) => arrivals.length < expected))
    await sleep(10)
  const text = Buffer.concat(kept).toString("latin1")
  const ids = text.matchAll(/"delivery(?:Id|_id)":\s*"[0-9a-f-]{24}([0-9a-f]{12})"/g)
  return {
    order: Array.from(ids, ([, digits]) => Number.parseInt(digits ?? "", 16)),
    arrivals: clients.map(({ arrivals }) => arrivals),
  }
}

async function answer(request: PipelineClientsRequest): Promise<PipelineClientsReport | { done: true }> {
  if (request.ask === "end") return end(request.deadlineMs)
  if (request.ask === "connect") {
    const { count, port, path, key } = request
    clients = await Promise.all(Array.from({ length: count }, (_, index) => open(index, port, path, key)))
  } else {
    for (const client of clients) client.arrivals = []
    kept = []
    expected = request.events
  }
  return { done: true }
}

process.on("message", (request: PipelineClientsRequest) => tellParent(answer(request)))
process.once("disconnect", () => process.exit())

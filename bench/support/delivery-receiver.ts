/**
 * Child process of the delivery bench: the receiver. Plain node:http that reads each body and answers
 * 204, at once or, on `/slow`, after 30 seconds. It keeps where and when requests came.
 */
import { createServer } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { tellParent } from "./ask-child.ts"
import { listen } from "./listen.ts"

/** What the bench asks of it, each answered by one message. */
export type ReceiverRequest =
  | { ask: "listen" }
  /** Counts from now on. */
  | { ask: "begin" }
  /** Waits until so many have come. */
  | { ask: "end"; count: number; deadlineMs: number }

/** Requests that came since `begin`; times are of CLOCK_MONOTONIC, in milliseconds. */
export interface ReceiverReport {
  paths: string[]
  arrivals: Float64Array
}

const slowMs = 30_000

let paths: string[] = []
let arrivals: number[] = []

const server = createServer((request, response) => {
  request.resume()
  request.on("end", () => {
    const path = request.url ?? ""
    if (path === "/slow") {
      setTimeout(() => response.writeHead(204).end(), slowMs).unref()
      return
    }
    paths.push(path)
    arrivals.push(Number(process.hrtime.bigint()) / 1e6)
    response.writeHead(204).end()
  })
})
server.keepAliveTimeout = 120_000 // rounds take turns

async function answer(request: ReceiverRequest): Promise<object> {
  if (request.ask === "listen") return { port: await listen(server) }
  if (request.ask === "begin") {
    paths = []
    arrivals = []
    return { ready: true }
  }
  const deadline = performance.now() + request.deadlineMs
  while (arrivals.length < request.count && performance.now() < deadline) await sleep(5)
  return { paths, arrivals: Float64Array.from(arrivals) } satisfies ReceiverReport
}

process.on("message", (request: ReceiverRequest) => tellParent(answer(request)))
process.once("disconnect", () => process.exit())

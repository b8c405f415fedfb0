import { once } from "node:events"
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Request } from "./github-requests.ts"

export interface LoadOptions {
  port: number
  connections: number
  /** Milliseconds of load before the measured time. */
  leadMs: number
  durationMs: number
  next: () => Request
}

/** What came of the load; the rate is of all answers from the beginning of the measured time to the last. */
export interface LoadReport {
  perSecond: number
  latenciesMs: number[]
  /** All answers of status 2xx, those before and after the measured time included. */
  accepted: number
  /** All other answers, by status; 0 for a connection that ended before its answer. */
  refused: Record<string, number>
}

/** For how long a sender stays away that is told 503, as Retry-After asks. */
const retryAfterMs = 1_000

/**
 * Sends on every connection one request after another, the next when the one before is answered. A
 * bare client on sockets, which parses no more of an answer than its status and length: on two cores
 * a better one would take from the server what it measures.
 */
export async function closedLoop(options: LoadOptions): Promise<LoadReport> {
  const { port, connections, leadMs, durationMs, next } = options
  const report: LoadReport = { perSecond: 0, latenciesMs: [], accepted: 0, refused: {} }
  const clients = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const phase = { measuring: false, over: false }
  let lastAnswerAt = 0

  const loops = clients.map(async (first) => {
    let client = first
    while (!phase.over) {
      const sentAt = performance.now()
      const status = await client.send(next())
      if (status >= 200 && status < 300) {
        report.accepted++
        lastAnswerAt = performance.now()
        if (phase.measuring) report.latenciesMs.push(lastAnswerAt - sentAt)
        continue
      }
      report.refused[status] = (report.refused[status] ?? 0) + 1
      if (status !== 0 && status !== 503) continue
      client.close() // who is turned away before its body was read cannot go on where it was
      await sleep(retryAfterMs)
      client = await open(port)
    }
    client.close()
  })

  const failed = Promise.all(loops)
  await Promise.race([failed, sleep(leadMs)])
  phase.measuring = true
  const startedAt = performance.now()
  await Promise.race([failed, sleep(durationMs)])
  phase.over = true
  await failed
  // What was under way to the end counts, and its time does: a large body may take as long as a round.
  if (report.latenciesMs.length > 0) {
    report.perSecond = (report.latenciesMs.length * 1_000) / (lastAnswerAt - startedAt)
  }
  return report
}

interface Client {
  /** Resolves with the status of the answer; 0 where the connection ends before it. */
  send(request: Request): Promise<number>
  close(): void
}

async function open(port: number): Promise<Client> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  let pending: Buffer | undefined
  let ended = false
  let settle: ((status: number) => void) | undefined
  const end = (): void => {
    ended = true
    settle?.(0)
  }
  socket.on("error", end).on("close", end)
  socket.on("data", (chunk) => {
    pending = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    const status = statusOf(pending)
    if (status === undefined) return
    pending = undefined
    settle?.(status)
  })
  return {
    send({ head, body }) {
      return new Promise((resolve) => {
        settle = resolve
        socket.cork()
        socket.write(head, "latin1")
        socket.write(body)
        socket.uncork()
        if (ended) end()
      })
    },
    close: () => socket.destroy(),
  }
}

/** Status of an answer, once all of it is there. Throws where it does not say its length. */
function statusOf(answer: Buffer): number | undefined {
  const headEnd = answer.indexOf("\r\n\r\n")
  if (headEnd === -1) return undefined
  const head = answer.toString("latin1", 0, headEnd)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without Content-Length: ${head}`)
  return answer.length < headEnd + 4 + Number(length) ? undefined : Number(head.slice(9, 12))
}

import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

/** Gives the next request: its head with the closing blank line, and its body. */
export type RequestSource = () => { head: string; body: Buffer }

export interface LoadOptions {
  port: number
  connections: number
  /** Milliseconds of load before the measured time. */
  leadMs: number
  durationMs: number
  next: RequestSource
}

/** What came of the load; only answers within the measured time count for the rate. */
export interface LoadReport {
  perSecond: number
  latenciesMs: number[]
  /** All answers of status 2xx, those before and after the measured time included. */
  accepted: number
  /** All other answers, by status. */
  refused: Record<string, number>
}

/**
 * Sends on every connection one request after another, the next when the one before is answered. A
 * bare client on sockets, which parses no more of an answer than its status and length: on two cores
 * a better one would take from the server what it measures.
 */
export async function closedLoop(options: LoadOptions): Promise<LoadReport> {
  const { port, connections, leadMs, durationMs, next } = options
  const report: LoadReport = { perSecond: 0, latenciesMs: [], accepted: 0, refused: {} }
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const phase = { measuring: false, over: false }

  const loops = sockets.map(async (socket) => {
    const answers = answersOf(socket)
    while (!phase.over) {
      const { head, body } = next()
      const sentAt = performance.now()
      socket.cork()
      socket.write(head, "latin1")
      socket.write(body)
      socket.uncork()
      const status = await answers()
      if (phase.measuring) report.latenciesMs.push(performance.now() - sentAt)
      if (status >= 200 && status < 300) report.accepted++
      else report.refused[status] = (report.refused[status] ?? 0) + 1
    }
  })

  const failed = Promise.all(loops)
  await Promise.race([failed, sleep(leadMs)])
  phase.measuring = true
  const startedAt = performance.now()
  await Promise.race([failed, sleep(durationMs)])
  phase.measuring = false
  const seconds = (performance.now() - startedAt) / 1_000
  phase.over = true
  await failed
  for (const socket of sockets) socket.destroy()
  report.perSecond = report.latenciesMs.length / seconds
  return report
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  return socket
}

/** Reads one answer at a time and resolves with its status. */
function answersOf(socket: Socket): () => Promise<number> {
  let pending: Buffer | undefined
  let settle: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined
  socket.on("data", (chunk) => {
    pending = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    const headEnd = pending.indexOf("\r\n\r\n")
    if (headEnd === -1) return
    const head = pending.toString("latin1", 0, headEnd)
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    if (length === undefined) {
      settle?.reject(new Error(`an answer without Content-Length: ${head}`))
      return
    }
    if (pending.length < headEnd + 4 + Number(length)) return
    pending = undefined
    settle?.resolve(Number(head.slice(9, 12)))
  })
  socket.on("error", (error) => settle?.reject(error))
  socket.on("close", () => settle?.reject(new Error("the server closed the connection")))
  return () =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
}

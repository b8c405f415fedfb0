import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Request } from "./github-requests.ts"

export interface OpenLoopOptions {
  port: number
  count: number
  intervalMs: number
  /** The request that is due as the n-th. */
  request: (n: number) => Request
}

/**
 * Sends requests at their due times, whether or not the ones before are answered, each on a
 * connection that is free at the time. Answers when the first one was due (CLOCK_MONOTONIC,
 * milliseconds) once all are answered; throws on any status but 2xx.
 */
export async function openLoop({ port, count, intervalMs, request }: OpenLoopOptions): Promise<number> {
  const free: Socket[] = []
  const all: Socket[] = []
  const answers: Promise<void>[] = []
  const failures: unknown[] = []
  for (let index = 0; index < 16; index++) free.push(await open(port, all))
  const startMs = now() + 200
  for (let n = 0; n < count && failures.length === 0; n++) {
    const waitMs = startMs + n * intervalMs - now()
    if (waitMs > 0.5) await sleep(waitMs)
    answers.push(send(free.pop(), request(n)).catch((error: unknown) => void failures.push(error)))
  }
  await Promise.all(answers)
  for (const socket of all) socket.destroy()
  if (failures.length > 0) throw failures[0]
  return startMs

  async function send(socket: Socket | undefined, { head, body }: Request): Promise<void> {
    const taken = socket ?? (await open(port, all))
    taken.cork()
    taken.write(head, "latin1")
    taken.write(body)
    taken.uncork()
    const status = await answerOf(taken)
    if (status < 200 || status > 299) throw new Error(`a request was answered with ${status}`)
    free.push(taken)
  }
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

async function open(port: number, all: Socket[]): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  all.push(socket)
  socket.on("error", () => {}) // its close tells whoever waits for an answer
  await once(socket, "connect")
  return socket
}

/** Status of the next answer; its body, which is small, must come with its Content-Length. */
function answerOf(socket: Socket): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let text = ""
  const take = (chunk: Buffer): void => {
    text += chunk.toString("latin1")
    const headEnd = text.indexOf("\r\n\r\n")
    const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
    if (headEnd === -1 || length === undefined || text.length < headEnd + 4 + Number(length)) return
    settle()
    resolve(Number(text.slice(9, 12)))
  }
  const fail = (): void => {
    settle()
    reject(new Error("a connection was closed before its answer"))
  }
  const settle = (): void => {
    socket.off("data", take)
    socket.off("close", fail)
  }
  socket.on("data", take)
  socket.on("close", fail)
  return promise
}

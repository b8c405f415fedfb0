import { Pool, type Dispatcher } from "undici"
import type { Guard } from "./guard.ts"

/** A request to be sent. */
export interface Outgoing {
  path: string
  headers: Readonly<Record<string, string>>
  body: Buffer
  timeoutMs: number
  /** Cuts it short. */
  signal?: AbortSignal
}

/** What came back, or why nothing did. */
export interface Answer {
  /** Null where no whole head of an answer came. */
  statusCode: number | null
  /** Of `Retry-After`, as it came. */
  retryAfter: string | null
  /** The first 1 KiB. */
  response: string | null
  /** Why it failed, where it did before there was a status. */
  error: Error | null
  /** It was cut short by its signal, so that it tells nothing. */
  cut: boolean
}

/** Requests to one receiver. */
export interface Sender {
  send(request: Outgoing): Promise<Answer>
  /** Breaks off what runs, and closes the connections. */
  close(): Promise<void>
}

const keptBytes = 1024
const readBytes = 64 * 1024 // an answer that goes on is left at that

/** Makes a sender, whose connections stay open between requests. Redirects are answers like others. */
export function createSender(origin: string, guard: Guard, connections: number): Sender {
  const pool = new Pool(origin, {
    connect: guard.connector(connectTimeoutMs),
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0, // each request has a time of its own
    bodyTimeout: 0,
    maxHeaderSize: 32 * 1024,
  })
  const cutBy = new WeakMap<AbortSignal, Set<Exchange>>()

  /** What one signal cuts short; it is listened to once, whatever the number of requests. */
  function exchangesOf(signal: AbortSignal): Set<Exchange> {
    const known = cutBy.get(signal)
    if (known !== undefined) return known
    const exchanges = new Set<Exchange>()
    cutBy.set(signal, exchanges)
    signal.addEventListener("abort", () => exchanges.forEach((exchange) => exchange.cut()), { once: true })
    return exchanges
  }

  return {
    send: (request) =>
      new Promise((resolve) => {
        const { path, headers, body, timeoutMs, signal } = request
        const running = signal && exchangesOf(signal)
        const exchange = new Exchange(timeoutMs, (answer) => {
          running?.delete(exchange)
          resolve(answer)
        })
        running?.add(exchange)
        if (signal?.aborted === true) exchange.cut()
        try {
          pool.dispatch({ path, method: "POST", headers, body }, exchange)
        } catch (error) {
          exchange.onResponseError(undefined, error instanceof Error ? error : new Error(String(error)))
        }
      }),
    close: () => pool.destroy(),
  }
}

const connectTimeoutMs = 10_000

class TimedOut extends Error {
  override readonly name = "TimeoutError"
}

class CutShort extends Error {}

/** One request and its answer; settles once, and never rejects. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #over: Error | undefined
  #statusCode: number | null = null
  #retryAfter: string | null = null
  #chunks: Buffer[] = []
  #kept = 0
  #read = 0
  #settled = false

  constructor(timeoutMs: number, resolve: (answer: Answer) => void) {
    this.#resolve = resolve
    this.#timer = setTimeout(this.#timeOut, timeoutMs, timeoutMs)
  }

  readonly #timeOut = (timeoutMs: number): void => {
    this.#end(new TimedOut(`no whole answer within ${timeoutMs} ms`))
  }

  cut(): void {
    this.#end(new CutShort("cut short"))
  }

  /** It may not have been sent yet: it is then broken off as soon as it would be. */
  #end(reason: Error): void {
    if (this.#settled) return
    this.#over = reason
    this.#controller?.abort(reason)
    this.#settle(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over !== undefined) controller.abort(this.#over)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (statusCode < 200) return // informational: the answer itself follows
    this.#statusCode = statusCode
    const after = headers["retry-after"]
    this.#retryAfter = typeof after === "string" ? after : null
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#read += chunk.length
    if (this.#kept < keptBytes) {
      // A copy: the chunk is a window of a larger buffer.
      const part = Buffer.from(chunk.subarray(0, keptBytes - this.#kept))
      this.#chunks.push(part)
      this.#kept += part.length
    }
    if (this.#read <= readBytes) return
    this.#settle(null)
    controller.abort(new CutShort("the answer is longer than anybody reads"))
  }

  onResponseEnd(): void {
    this.#settle(null)
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#settle(error)
  }

  #settle(error: Error | null): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#timer)
    this.#resolve({
      statusCode: this.#statusCode,
      retryAfter: this.#retryAfter,
      response: this.#kept === 0 ? null : Buffer.concat(this.#chunks).toString(),
      error,
      cut: error instanceof CutShort,
    })
  }
}

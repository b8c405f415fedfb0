import { request, type IncomingMessage } from "node:http"
import { SseParser, type SseMessage } from "./sse-parser.ts"

/** An SSE client under a test's hands. */
export interface TestClient {
  readonly response: IncomingMessage
  readonly parser: SseParser
  readonly messages: SseMessage[]
  /** Positions of the events and gaps that came, in the order they came. */
  positions(): number[]
  /** Resolves when the condition holds; fails after 20 s, or when the stream ends before. */
  until(condition: () => boolean): Promise<void>
  /** Resolves when `count` messages have come. */
  count(count: number): Promise<void>
  /** Stops taking bytes from the socket. */
  pause(): void
  resume(): void
  /** Cuts the connection. */
  cut(): void
  readonly closed: Promise<void>
}

/** Opens a stream; resolves with its head. Takes any status. */
export async function connect(url: string, headers: Record<string, string> = {}): Promise<TestClient> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, resolve)
    sent.on("error", reject)
    sent.end()
  })
  const waiting = new Set<() => void>()
  const wake = () => waiting.forEach((check) => check())
  const parser = new SseParser()
  let ended = false
  response.on("data", (bytes: Buffer) => {
    parser.push(bytes)
    wake()
  })
  response.on("error", () => {}) // told by "close" as well
  const closed = new Promise<void>((resolve) => {
    response.on("close", () => {
      ended = true
      wake()
      resolve()
    })
  })

  async function until(condition: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const fail = (why: string) => reject(new Error(`${why}, after ${parser.messages.length} messages`))
    const timer = setTimeout(fail, 20_000, "nothing in 20 s")
    const check = () => {
      if (condition()) resolve()
      else if (ended) fail("the stream ended")
    }
    waiting.add(check)
    check()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      waiting.delete(check)
    }
  }

  return {
    response,
    parser,
    messages: parser.messages,
    positions: () => parser.messages.map((message) => Number(message.lastEventId)),
    until,
    count: (count) => until(() => parser.messages.length >= count),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    cut: () => void response.destroy(),
    closed,
  }
}

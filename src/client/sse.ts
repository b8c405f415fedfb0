import { SignalboxClientError, unreachable } from "./errors.ts"
import type { Connect, Signal } from "./signals.ts"
import type { StreamAccess } from "./stream-access.ts"
import { createSseParser, type SseItem } from "./sse-parser.ts"
import { within } from "./within.ts"

export interface SseOptions {
  access: StreamAccess
  /** Path of the stream, with its query but for `after`. */
  path: (after: "earliest" | "latest" | number) => string
  /** Milliseconds without a byte after which a connection is taken for dead. */
  silenceMs: number
}

const slowestHeadMs = 30_000

/** Server-Sent Events over `fetch`, which takes headers and can be read at one's own pace. */
export function connectBySse({ access, path, silenceMs }: SseOptions): Connect {
  return async function* readEvents(cursor, signal) {
    const connection = new AbortController()
    const cut = (): void => connection.abort()
    signal.addEventListener("abort", cut)
    try {
      const response = await within(
        access.send(path(cursor), {
          headers: {
            accept: "text/event-stream",
            ...(typeof cursor === "number" ? { "last-event-id": String(cursor) } : {}),
          },
          cache: "no-store",
          signal: connection.signal,
        }),
        { ms: slowestHeadMs, signal, late: () => silent(slowestHeadMs) },
      )
      yield* signalsOf(response, silenceMs, signal)
    } finally {
      signal.removeEventListener("abort", cut)
      connection.abort() // nobody reads on
    }
  }
}

async function* signalsOf(
  response: Response,
  silenceMs: number,
  signal: AbortSignal,
): AsyncGenerator<Signal, void> {
  const type = response.headers.get("content-type") ?? ""
  if (response.body === null || !/^text\/event-stream\b/i.test(type)) {
    throw new SignalboxClientError(
      "not_signalbox",
      `the answer is no event stream but ${type || "nothing"}`,
      {
        status: response.status,
      },
    )
  }
  const reader = response.body.getReader()
  const parser = createSseParser()
  for (;;) {
    const bytes = await read()
    if (bytes === undefined) return
    for (const item of parse(bytes)) yield toSignal(item)
  }

  async function read(): Promise<Uint8Array | undefined> {
    try {
      const { value } = await within(reader.read(), { ms: silenceMs, signal, late: () => silent(silenceMs) })
      return value
    } catch (cause) {
      if (signal.aborted || cause instanceof SignalboxClientError) throw cause
      throw unreachable("the connection broke", cause)
    }
  }

  function parse(bytes: Uint8Array): SseItem[] {
    try {
      return parser.push(bytes)
    } catch (cause) {
      throw new SignalboxClientError("not_signalbox", "the stream holds a message without end", { cause })
    }
  }
}

function silent(ms: number): SignalboxClientError {
  return new SignalboxClientError("unreachable", `no byte came for ${ms / 1000} s`)
}

function toSignal(item: SseItem): Signal {
  if (item.kind === "retry") return item
  if (item.kind === "message" && item.type === "broadcast") return { kind: "broadcast", json: item.data }
  if (item.kind === "message" && item.type === "end") {
    const { reason = "", detail = "" }: { reason?: string; detail?: string } = JSON.parse(item.data)
    return { kind: "end", reason, detail }
  }
  const position = positionOf(item.lastEventId)
  if (item.kind === "id") return { kind: "position", position }
  if (item.type !== "gap") return { kind: "event", position, json: item.data }
  const { from }: { from: number } = JSON.parse(item.data)
  return { kind: "gap", from, position }
}

function positionOf(id: string): number {
  if (/^\d{1,16}$/.test(id)) return Number(id)
  throw new SignalboxClientError(
    "not_signalbox",
    `the stream has the id ${JSON.stringify(id)}, not a position`,
  )
}

import { SignalboxClientError } from "./errors.ts"
import type { Requests } from "./requests.ts"
import type { Connect, Cursor, Signal } from "./signals.ts"
import type { StreamAccess } from "./stream-access.ts"
import { within } from "./within.ts"

/** The part of a WebSocket that the client needs; that of every runtime, and of `ws`, has it. */
export interface WebSocketLike {
  addEventListener(type: "open" | "close" | "error", listener: () => void): void
  addEventListener(type: "message", listener: (message: { data: unknown }) => void): void
  close(): void
}

/** Opens a WebSocket; throws where it cannot send those headers. */
export type OpenWebSocket = (url: string, headers: Readonly<Record<string, string>>) => WebSocketLike

export interface WebsocketOptions {
  requests: Requests
  access: StreamAccess
  /** Path of the stream, with its query. */
  path: (after: Cursor) => string
  silenceMs: number
  open?: OpenWebSocket | undefined
}

/** A WebSocket cannot be asked to wait: past so many characters it is closed, and opened again behind them. */
const mostWaiting = 8 << 20
const slowestHandshakeMs = 30_000

/** The stream's WebSocket. */
export function connectByWebsocket(options: WebsocketOptions): Connect {
  const { requests, access, path, silenceMs, open = openOwn } = options
  let byToken = access.byToken

  // What is opened is listened to at once: it may fail before anything else is awaited.
  async function dial(cursor: Cursor): Promise<Inbox> {
    const address = new URL(requests.address(path(cursor)))
    address.protocol = address.protocol.replace("http", "ws")
    if (!byToken && requests.hasCredential) {
      const headers = await requests.headers()
      try {
        return createInbox(open(address.href, headers))
      } catch (error) {
        if (error instanceof SignalboxClientError) throw error
        byToken = true // a browser's, which takes no headers
      }
    }
    address.searchParams.set("token", await access.token())
    return createInbox(open(address.href, {}))
  }

  return async function* readMessages(cursor, signal) {
    const inbox = await dial(cursor)
    try {
      const opened = await within(inbox.opened, {
        ms: slowestHandshakeMs,
        signal,
        late: () => new SignalboxClientError("unreachable", "the WebSocket did not open in time"),
      })
      if (!opened) await explainRefusal(access, path(cursor), signal)
      for (;;) {
        // The hub's pings cannot be seen here, so that silence may be but that. It is cheap to come back.
        const text = await within(inbox.take(), { ms: silenceMs, signal, late: silent })
        if (text === undefined) return
        yield* toSignals(text)
      }
    } finally {
      inbox.close()
    }
  }
}

function silent(): SignalboxClientError {
  return new SignalboxClientError("unreachable", "the WebSocket was silent", { retryAfterMs: 0 })
}

/** A WebSocket that is refused does not say why; a plain request for the same does. Throws in any case. */
async function explainRefusal(access: StreamAccess, path: string, signal: AbortSignal): Promise<never> {
  try {
    const response = await access.send(path, { signal })
    await response.body?.cancel()
  } catch (error) {
    // 426: to this request it would have been open, perhaps with a credential that is new since.
    if (!(error instanceof SignalboxClientError) || error.status !== 426) throw error
  }
  throw new SignalboxClientError("unreachable", "the WebSocket was closed before it was open")
}

interface Inbox {
  /** Whether it opened. */
  opened: Promise<boolean>
  /** The next message; undefined once it is closed and all were taken. */
  take(): Promise<string | undefined>
  close(): void
}

/** Keeps what a WebSocket says until it is taken. */
function createInbox(websocket: WebSocketLike): Inbox {
  const { promise: opened, resolve: setOpened } = Promise.withResolvers<boolean>()
  let messages: string[] = []
  let taken = 0
  let waiting = 0
  let closed = false
  let outpaced = false
  let arrived = Promise.withResolvers<void>()

  function finish(): void {
    closed = true
    setOpened(false)
    arrived.resolve()
  }

  websocket.addEventListener("open", () => setOpened(true))
  websocket.addEventListener("error", finish)
  websocket.addEventListener("close", finish)
  websocket.addEventListener("message", ({ data }) => {
    if (closed || typeof data !== "string") return
    if (waiting > 0 && waiting + data.length > mostWaiting) {
      outpaced = true
      finish()
      websocket.close()
      return
    }
    messages.push(data)
    waiting += data.length
    arrived.resolve()
  })

  return {
    opened,
    take: async () => {
      for (;;) {
        const message = messages[taken]
        if (message !== undefined) {
          waiting -= message.length
          if (++taken === messages.length) {
            messages = []
            taken = 0
          }
          return message
        }
        if (outpaced) {
          throw new SignalboxClientError("outpaced", "the WebSocket was faster than its events were taken", {
            retryAfterMs: 0,
          })
        }
        if (closed) return undefined
        arrived = Promise.withResolvers()
        await arrived.promise
      }
    },
    close: () => {
      closed = true
      websocket.close()
    },
  }
}

const eventMessage = /^\{"kind":"event","position":\d+,"event":/

interface Message {
  kind?: string
  position?: number
  from?: number
  retryMs?: number
  reason?: string
  detail?: string
  event?: unknown
  data?: unknown
}

function toSignals(text: string): Signal[] {
  const message: Message = JSON.parse(text)
  if (message.kind !== "end") return [toSignal(message, text)]
  const { retryMs = 0, reason = "", detail = "" } = message
  return [
    { kind: "retry", ms: retryMs },
    { kind: "end", reason, detail },
  ]
}

function toSignal(message: Message, text: string): Signal {
  const { kind, position = Number.NaN, from = position } = message
  if (kind === "broadcast") return { kind, json: JSON.stringify(message.data) }
  if (!Number.isSafeInteger(position)) {
    throw new SignalboxClientError("not_signalbox", "the WebSocket sends messages without a position")
  }
  if (kind === "gap") return { kind, from, position }
  if (kind !== "event") return { kind: "position", position }
  // As it was sent, since numbers may be greater than those of JavaScript.
  const head = eventMessage.exec(text)?.[0]
  const json = head === undefined ? JSON.stringify(message.event) : text.slice(head.length, -1)
  return { kind, position, json }
}

function openOwn(url: string, headers: Readonly<Record<string, string>>): WebSocketLike {
  if (typeof WebSocket === "undefined") {
    const words = "this runtime has no WebSocket: give openWebSocket, or leave transport at sse"
    throw new SignalboxClientError("configuration", words)
  }
  return Object.keys(headers).length === 0 ? new WebSocket(url) : new WebSocket(url, { headers })
}

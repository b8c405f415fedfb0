import { once } from "node:events"
import { createServer, ServerResponse, type IncomingMessage, type Server } from "node:http"
import type { Socket } from "node:net"
import { getRequestListener } from "@hono/node-server"
import { SignalboxError } from "../core/errors.ts"
import { offerUpgrade } from "../core/upgrade.ts"
import { problemOf } from "./problem.ts"

/** Answers one request; both arguments beyond it are Node's own. */
type Fetch = Parameters<typeof getRequestListener>[0]

export interface HttpServer {
  /** Where it listens: `http://localhost:3000`. */
  url: string
  port: number
  /**
   * Takes no more connections, ends those that are idle, and waits for the rest; what is still open
   * after `deadlineMs` is cut. Idempotent.
   */
  close(deadlineMs: number): Promise<void>
}

/** Bytes of all headers of a request, its first line included (431 beyond); Node's own default, held fast. */
const maxHeaderSize = 16 * 1024
/** Headers of a request; senders and the proxies before us come to 40 at most. */
const maxHeaders = 128

export interface ListenOptions {
  host: string
  /** 0 for any free one. */
  port: number
  /** Connections at the same time (25,000: the streams there may be, and room for requests); more are closed as they come. */
  maxConnections?: number
  /** Milliseconds for the head of a request to arrive (10 s); its body has limits of its own. */
  headersTimeoutMs?: number
}

/** Listens on `host` and `port` (0 for any free one). Fails with one line where the port is taken. */
export async function listen(
  fetch: Fetch,
  { host, port, maxConnections = 25_000, headersTimeoutMs = 10_000 }: ListenOptions,
): Promise<HttpServer> {
  const answer = getRequestListener(fetch)
  const server = createServer(
    {
      keepAliveTimeout: 65_000, // longer than the 60 s of common proxies, so that they close first
      headersTimeout: headersTimeoutMs,
      requestTimeout: 60_000,
      connectionsCheckingInterval: Math.min(2_000, headersTimeoutMs / 4), // by default the two timeouts above are looked at every 30 s
      maxHeaderSize,
      noDelay: true,
      // Some clients offer h2c with every request, and are to be answered as if they had not.
      shouldUpgradeCallback: ({ method, headers }) =>
        method === "GET" && headers.upgrade?.toLowerCase() === "websocket",
    },
    respond,
  )
  function respond(request: IncomingMessage, response: ServerResponse): void {
    if (request.rawHeaders.length > 2 * maxHeaders) refuseHeaders(response)
    else void answer(request, response)
  }
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once("finish", () => socket.destroySoon()) // no upgrade, but an answer
    socket.on("error", () => {}) // told by "close" as well
    offerUpgrade(request, { socket, head })
    respond(request, response)
  })
  server.maxConnections = maxConnections
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  server.listen({ host, port, backlog: 1_024 })
  await listening(server, host, port)
  const address = server.address()
  const bound = typeof address === "object" && address !== null ? address.port : port
  let closing: Promise<void> | undefined
  return {
    url: `http://${nameOf(host)}:${bound}`,
    port: bound,
    close: (deadlineMs) => (closing ??= close(server, sockets, deadlineMs)),
  }
}

/** Node drops the headers past a count of its own without a word, a signature perhaps among them; this says so. */
function refuseHeaders(response: ServerResponse): void {
  const detail = `a request may have ${maxHeaders} headers at most`
  const problem = problemOf(new SignalboxError("too_large", detail, { status: 431 }))
  const headers = { "content-type": "application/problem+json", connection: "close" }
  response.writeHead(problem.status, headers).end(JSON.stringify(problem))
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  try {
    await once(server, "listening")
  } catch (cause) {
    const taken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = taken
      ? `port ${port} on ${host} is taken: set PORT to another one`
      : `HOST ${host} and PORT ${port} cannot be listened on: ${reason}`
    throw new SignalboxError("configuration", message, { cause })
  }
}

async function close(server: Server, sockets: ReadonlySet<Socket>, deadlineMs: number): Promise<void> {
  const closed = once(server, "close")
  server.close()
  // A connection whose request ends after this moment would stay open for another; and one that never
  // asked for anything, as clients open in reserve, does not count as idle.
  const sweep = setInterval(() => {
    server.closeIdleConnections()
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }, 50)
  const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), deadlineMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

function nameOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost"
  return host.includes(":") ? `[${host}]` : host
}

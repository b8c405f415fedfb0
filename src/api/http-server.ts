import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import { getRequestListener } from "@hono/node-server"
import { SignalboxError } from "../core/errors.ts"

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

/** Listens on `host` and `port` (0 for any free one). Fails with one line where the port is taken. */
export async function listen(
  fetch: Fetch,
  { host, port }: { host: string; port: number },
): Promise<HttpServer> {
  const answer = getRequestListener(fetch)
  const server = createServer(
    {
      keepAliveTimeout: 65_000, // longer than the 60 s of common proxies, so that they close first
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      noDelay: true,
    },
    (request, response) => void answer(request, response),
  )
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
  const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

function nameOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost"
  return host.includes(":") ? `[${host}]` : host
}

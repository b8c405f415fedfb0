import { once } from "node:events"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { onTestFinished } from "vitest"

/** A way to a server that may vanish without a word, as in a failover; closed when the test ends. */
export interface SilentProxy {
  /** The server's address by way of the proxy. */
  url: string
  /** Lets nothing more through the connections that are open, and leaves them open. New ones go through. */
  silence(): void
}

/** Starts one before the server at `target`, a URL with a host and a port. */
export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const to = new URL(target)
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: to.hostname, port: Number(to.port), noDelay: true })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      socket.on("error", () => {}) // told by "close" as well
      socket.on("close", () => {
        open.delete(socket)
        if (!silent.has(socket)) other.destroy()
      })
      socket.on("data", (bytes: Buffer) => {
        if (!silent.has(socket) && !other.destroyed) other.write(bytes)
      })
    }
  })
  const silent = new WeakSet<Socket>()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const url = new URL(target)
  url.hostname = "127.0.0.1"
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    silence: () => {
      for (const socket of open) silent.add(socket)
    },
  }
}

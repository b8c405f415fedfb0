import { once } from "node:events"
import { createServer, type AddressInfo, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { byWayOf, connectToServer } from "./server-socket.ts"

/** A way to a server that may vanish without a word, as in a failover; closed when the test ends. */
export interface SilentProxy {
  /** The server's address by way of the proxy. */
  url: string
  /** Lets nothing more through the connections that are open, and leaves them open. New ones go through. */
  silence(): void
}

/** Starts one before the server of a database. */
export async function startSilentProxy(databaseUrl: string): Promise<SilentProxy> {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connectToServer(databaseUrl)
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
  return {
    url: byWayOf((server.address() as AddressInfo).port, databaseUrl),
    silence: () => {
      for (const socket of open) silent.add(socket)
    },
  }
}

import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"

/** A TCP proxy that breaks connections. */
export interface Proxy {
  url: string
  /** How many connections it has cut. */
  readonly cuts: number
  /** How many were made to it. */
  readonly connections: number
  /** Stops handing bytes on, both ways, and says nothing of it. */
  stall(): void
  /** Cuts whatever is open. */
  cutAll(): void
}

export interface ProxyOptions {
  /** Bytes that the next connection may bring its client before it is cut; undefined for any number. */
  bytesBeforeCut?: () => number | undefined
}

/** Stands between a client and the server at `target`; closed after the test. */
export async function startProxy(target: string, options: ProxyOptions = {}): Promise<Proxy> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let cuts = 0
  let connections = 0

  const server = createServer((client) => {
    connections++
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on("error", () => {}) // told by "close" as well
      socket.on("close", () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    let left = options.bytesBeforeCut?.()
    upstream.on("data", (bytes: Buffer) => {
      const part = left === undefined ? bytes : bytes.subarray(0, left)
      if (left !== undefined) left -= part.length
      const isLast = left === 0
      if (!client.write(part) && !isLast) {
        upstream.pause()
        client.once("drain", () => upstream.resume())
      }
      if (!isLast) return
      cuts++
      upstream.destroy()
      client.end() // what was let through arrives
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const cutAll = (): void => {
    for (const socket of open) socket.destroy()
  }
  onTestFinished(async () => {
    const closed = once(server, "close")
    server.close()
    cutAll()
    await closed
  })
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    get cuts() {
      return cuts
    },
    get connections() {
      return connections
    },
    stall: () => {
      for (const socket of open) socket.unpipe().removeAllListeners("data").pause()
    },
    cutAll,
  }
}

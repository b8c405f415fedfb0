import { connect, type Socket } from "node:net"

/** Connects to the server of a database's URL, by a port or by the Unix socket that the embedded one listens on. */
export function connectToServer(databaseUrl: string): Socket {
  const { hostname, port, searchParams } = new URL(databaseUrl)
  const socketDir = searchParams.get("host")
  const socket =
    socketDir === null ? connect(Number(port || 5432), hostname) : connect(`${socketDir}/.s.PGSQL.${port}`)
  return socket.setNoDelay(true)
}

/** The same database's URL by way of a port of this machine. */
export function byWayOf(port: number, databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.hostname = "127.0.0.1"
  url.port = String(port)
  url.searchParams.delete("host")
  return url.href
}

import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { afterAll } from "vitest"
import { byWayOf, connectToServer } from "../../support/server-socket.ts"

/** A wire between us and PostgreSQL that can be cut. */
export interface DatabaseProxy {
  /** The database's URL by way of the proxy. */
  url: string
  /** Cuts every connection and takes no new one, until `mend`. */
  cut(): void
  mend(): void
  /** Lets bytes flow in neither direction, without closing anything, until `mend`. */
  freeze(): void
  /** Cuts the connection on which the next COMMIT passes, when the server has done it and before we hear. */
  cutAfterNextCommit(): void
  /** How many COMMITs have passed. */
  commits(): number
}

/** Puts a proxy before the server of `databaseUrl`. */
export async function startProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let open = true
  let frozen = false
  let trap = false
  let commits = 0

  const server = createServer((client) => {
    const upstream = connectToServer(databaseUrl)
    const pair = [client, upstream] as const
    let trapped = false
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    pairs.add(pair)
    for (const socket of pair) socket.on("error", end).on("close", end)
    client.on("data", (chunk) => {
      if (frozen) return
      if (chunk.includes("commit\0")) {
        commits++
        if (trap) {
          trap = false
          trapped = true
        }
      }
      upstream.write(chunk)
    })
    upstream.on("data", (chunk) => {
      if (frozen) return
      if (trapped) end()
      else client.write(chunk)
    })
    if (!open) end()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("not listening on a port")

  const cutAll = () => {
    for (const [client, upstream] of pairs) {
      client.destroy()
      upstream.destroy()
    }
  }
  afterAll(() => {
    cutAll()
    server.close()
  })
  return {
    url: byWayOf(address.port, databaseUrl),
    cut() {
      open = false
      cutAll()
    },
    mend() {
      open = true
      frozen = false
    },
    freeze() {
      frozen = true
    },
    cutAfterNextCommit() {
      trap = true
    },
    commits: () => commits,
  }
}

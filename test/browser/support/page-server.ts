import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http"
import { join } from "node:path"

const followers = new URL("page/followers.js", import.meta.url)

export interface PageServerOptions {
  /** Folder of the client's modules. */
  client: string
  /** Address of the hub; known once it runs. */
  hub: () => string
  /** The key that this server has. */
  key: string
  /** The key that it gives to its pages now. */
  pageKey: () => string
}

/** A server of a user's own: it has a key, serves pages, and gets their tokens for them. */
export interface PageServer extends AsyncDisposable {
  readonly url: string
  /** How often a page asked for a key and for a token. */
  readonly asked: { key: number; token: number }
}

/** Starts one on a free port. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const { client, hub, key, pageKey } = options
  const authorization = `Bearer ${key}`
  const asked = { key: 0, token: 0 }

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? "", "http://page")
    const [, module] = /^\/client\/((?:[a-z-]+\/)*[a-z-]+\.js)$/.exec(pathname) ?? []
    if (pathname === "/followers.js") send(response, "text/javascript", await readFile(followers))
    else if (pathname === "/") send(response, "text/html", "<!doctype html><title>signalbox</title>")
    else if (module !== undefined) send(response, "text/javascript", await readFile(join(client, module)))
    else if (pathname === "/key") {
      asked.key++
      send(response, "text/plain", pageKey())
    } else if (pathname === "/token") {
      asked.token++
      const stream = searchParams.get("stream") ?? ""
      const made = await fetch(`${hub()}/api/v1/streams/${stream}/token`, {
        method: "POST",
        headers: { authorization },
      })
      const { token }: { token: string } = JSON.parse(await made.text())
      send(response, "text/plain", token)
    } else if (pathname.startsWith("/api/v1/")) passOn(incoming, response)
    else response.writeHead(404).end()
  }

  /** Passes a request on to the hub with the key. */
  function passOn(incoming: IncomingMessage, response: ServerResponse): void {
    const headers = { ...incoming.headers, authorization }
    const outgoing = request(hub() + (incoming.url ?? ""), { headers, agent: false }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.on("error", () => response.destroy())
      answered.pipe(response)
    })
    outgoing.on("error", () => response.destroy())
    response.on("close", () => outgoing.destroy())
    outgoing.end()
  }

  const server = createServer((incoming, response) => {
    // Whatever fails here, the page finds as a request that failed, and tries again.
    answer(incoming, response).catch(() => response.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close")
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body)
}

import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll } from "vitest"
import type { GithubWorld } from "./github-state.ts"

/** Serves a world's API on a port of its own, for processes that msw does not reach; gives its address. */
export async function serveWorld(world: GithubWorld): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const headers = new Headers()
      for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value))
      const method = incoming.method ?? "GET"
      const body = method === "GET" ? null : Buffer.concat(chunks).toString()
      const answer = await world.answer(
        new Request(`${world.apiUrl}${incoming.url}`, { method, headers, body }),
      )
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

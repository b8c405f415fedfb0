import { once } from "node:events"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

/** A request as a receiver got it. */
export interface Received {
  path: string
  headers: Record<string, string>
  body: string
  /** The body parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any
  json: any
}

/** A receiver of webhooks. */
export interface Receiver {
  url: string
  received: Received[]
  server: Server
}

/** How a receiver answers: a status alone, or whatever it writes itself. */
export type Answering = (
  request: Received,
  response: ServerResponse,
  incoming: IncomingMessage,
) => number | void | Promise<number | void>

/** Starts a receiver on a port of its own; closed when the test ends. */
export async function startReceiver(answer: Answering = () => 204): Promise<Receiver> {
  const received: Received[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString()
      const headers = incoming.headers as Record<string, string>
      const request = { path: incoming.url ?? "", headers, body, json: JSON.parse(body) as unknown }
      received.push(request)
      void reply(request, response, incoming)
    })
  })
  async function reply(...exchange: Parameters<Answering>): Promise<void> {
    const status = await answer(...exchange)
    if (typeof status === "number") exchange[1].writeHead(status).end()
  }
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, received, server }
}

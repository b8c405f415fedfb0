import { once } from "node:events"
import { createServer } from "node:http"
import { sightings, type Observer } from "./observer.ts"

/** Receives webhooks, whatever becomes of the connections that bring them. */
export interface WebhookObserver extends Observer {
  /** Where it listens; a proxy stands before it. */
  readonly url: string
}

/** Starts a receiver that answers 204 to every whole request. */
export async function observeByWebhook(name: string): Promise<WebhookObserver> {
  const log = sightings()
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on("error", () => {}) // half a request is none
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const { position }: { position: number } = JSON.parse(Buffer.concat(chunks).toString())
      log.positions.push(position)
      response.writeHead(204).end()
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return {
    name,
    log,
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close")
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

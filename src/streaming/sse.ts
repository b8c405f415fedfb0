import type { HttpBindings } from "@hono/node-server"
import { Hono, type Context, type Env } from "hono"
import type { Database } from "../store/database.ts"
import { orUnavailable } from "../store/failure.ts"
import type { Connections } from "./connections.ts"
import type { Feed } from "./feed.ts"
import { startingPoint } from "./starting-point.ts"
import type { FindStreamFilter } from "./stream-definitions.ts"
import { parseStreamRequest } from "./stream-request.ts"
import { createView } from "./view.ts"

/** Who makes a request, as far as a stream needs to know. */
export interface Identity {
  /** Whose events it may see. */
  tenant: string
  /** Id of its API key, `admin` for the one that never ends. */
  keyId: string
}

export interface SseRoutesOptions<E extends Env> {
  database: Database
  feed: Feed
  connections: Connections
  findStreamFilter: FindStreamFilter
  /** Tells who makes a request; it has been let in by whoever knows keys. */
  identify: (c: Context<E>) => Identity
}

const eventStream = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
}

/** `/api/v1/events/stream` and `/api/v1/streams/:name/sse`. */
export function sseRoutes<E extends Env & { Bindings: HttpBindings }>(options: SseRoutesOptions<E>): Hono<E> {
  const { database, feed, connections, findStreamFilter, identify } = options
  const app = new Hono<E>()

  async function serve(c: Context<E>, name: string): Promise<Response> {
    const { tenant, keyId } = identify(c)
    const request = parseStreamRequest(c.req.queries(), c.req.header("last-event-id"))
    const streamFilter = await orUnavailable(findStreamFilter(tenant, name))
    const start = await orUnavailable(startingPoint(database, feed, request.after))
    const view = createView(tenant, [streamFilter, request.filter])
    if (c.req.method === "HEAD") return c.body(null, 200, eventStream)
    connections.admit()
    const { outgoing }: HttpBindings = c.env
    if (!outgoing.destroyed) {
      for (const [header, value] of c.body(null).headers) outgoing.appendHeader(header, value)
      outgoing.writeHead(200, eventStream)
      connections.open(outgoing, view, { start, heartbeatMs: request.heartbeatMs, keyId })
    }
    return alreadySent()
  }

  app.get("/api/v1/events/stream", async (c) => serve(c, "all_events"))
  app.get("/api/v1/streams/:name/sse", async (c) => serve(c, c.req.param("name")))
  return app
}

/**
 * Tells @hono/node-server that the response is being written. One of its own responses is sent from
 * its parts without a look at this header, over ours, unless it has become a real one by then: asking
 * for the body does that. The constant that the package offers depends on when it is first imported.
 */
function alreadySent(): Response {
  const response = new Response(null, { headers: { "x-hono-already-sent": "true" } })
  void response.body
  return response
}

import type { ServerResponse } from "node:http"
import type { HttpBindings } from "@hono/node-server"
import { Hono, type Context, type Env } from "hono"
import type { Allowance } from "../core/allowance.ts"
import { SignalboxError } from "../core/errors.ts"
import { asksForUpgrade } from "../core/upgrade.ts"
import type { Database } from "../store/database.ts"
import { orUnavailable } from "../store/failure.ts"
import { createBrotliWire } from "./brotli-wire.ts"
import type { Opening } from "./client.ts"
import type { Connections } from "./connections.ts"
import { contentCoding, type ContentCoding } from "../core/content-coding.ts"
import type { Feed } from "./feed.ts"
import { gzipped } from "./gzip-encoding.ts"
import { sseEncoding, sseInBatches } from "./sse-encoding.ts"
import { createSseWire } from "./sse-wire.ts"
import { startingPoint } from "./starting-point.ts"
import { noStream, type StreamDefinitions } from "./stream-definitions.ts"
import { parseStreamRequest } from "./stream-request.ts"
import { createView, type View } from "./view.ts"
import { createWebsocketServer } from "./websocket-server.ts"
import type { Wire } from "./wire.ts"

/** Who makes a request, as far as a stream needs to know. */
export interface Identity {
  /** Whose events it may see. */
  tenant: string
  /** Id of its API key, `admin` for the one that never ends. */
  keyId: string
  /** Events that the key may have a second; null, or absent, for as many as there are. */
  allowance?: Allowance | null
  /** Where the request comes from; that of the socket unless given. */
  address?: string
}

export interface StreamRoutesOptions<E extends Env> {
  database: Database
  feed: Feed
  connections: Connections
  definitions: Pick<StreamDefinitions, "find">
  /** Tells who makes a request; it has been let in by whoever knows keys. */
  identify: (c: Context<E>) => Identity
}

const eventStream = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
}

const gzippedEvents = gzipped(sseEncoding)

function createWire(outgoing: ServerResponse, coding: ContentCoding, batch: number | null): Wire {
  const encoding = batch === null ? sseEncoding : sseInBatches(batch)
  if (coding === "br") return createBrotliWire(outgoing, encoding)
  if (coding === null) return createSseWire(outgoing, encoding)
  return createSseWire(outgoing, batch === null ? gzippedEvents : gzipped(encoding))
}

/** What a request is given. */
interface Prepared {
  view: View
  opening: Opening
  batch: number | null
}

/**
 * `/api/v1/streams/:name/sse` and `/api/v1/streams/:name/ws`, and `/api/v1/events/stream`, which is both, and
 * reads several streams as one with `?topics=`.
 */
export function streamRoutes<E extends Env & { Bindings: HttpBindings }>(
  options: StreamRoutesOptions<E>,
): Hono<E> {
  const { database, feed, connections, definitions, identify } = options
  const acceptWebsocket = createWebsocketServer()
  const app = new Hono<E>()

  /** What a request asks for, `name` or topics of its own; throws where it may not have that. */
  async function prepare(c: Context<E>, name: string | null): Promise<Prepared> {
    const { tenant, keyId, allowance = null, address = remoteAddress(c.env) } = identify(c)
    const request = parseStreamRequest(c.req.queries(), c.req.header("last-event-id"))
    const { after, heartbeatMs, clientName, batch } = request
    if (name !== null && request.topics !== null) {
      throw new SignalboxError("bad_request", "topics are for /api/v1/events/stream: this is one stream")
    }
    const topics = name === null ? (request.topics ?? ["all_events"]) : [name]
    if (name?.includes("*") === true) throw noStream(name) // patterns are for topics
    const found = await orUnavailable(definitions.find(tenant, topics))
    const point = await orUnavailable(startingPoint(database, feed, after, found.retentionSeconds))
    const view = createView(tenant, [found.selection, request.filter])
    const held = { tenant, topics: found.topics, version: found.version }
    return { view, opening: { ...point, heartbeatMs, keyId, address, held, clientName, allowance }, batch }
  }

  async function serveEvents(c: Context<E>, name: string | null): Promise<Response> {
    const { view, opening, batch } = await prepare(c, name)
    if (c.req.method === "HEAD") return c.body(null, 200, eventStream)
    connections.admit({ ...opening, view })
    const { outgoing }: HttpBindings = c.env
    if (!outgoing.destroyed) {
      for (const [header, value] of c.body(null).headers) outgoing.appendHeader(header, value)
      outgoing.appendHeader("vary", "accept-encoding, origin")
      const coding = contentCoding(c.req.header("accept-encoding"))
      outgoing.writeHead(200, { ...eventStream, ...(coding === null ? {} : { "content-encoding": coding }) })
      connections.open(createWire(outgoing, coding, batch), view, opening)
    }
    return alreadySent()
  }

  async function serveWebsocket(c: Context<E>, name: string | null): Promise<Response> {
    const { view, opening, batch } = await prepare(c, name)
    connections.admit({ ...opening, view })
    acceptWebsocket(c.env, batch, (wire) => connections.open(wire, view, opening))
    return alreadySent()
  }

  app.get("/api/v1/events/stream", async (c) =>
    asksForUpgrade(c.env.incoming) ? serveWebsocket(c, null) : serveEvents(c, null),
  )
  app.get("/api/v1/streams/:name/sse", async (c) => serveEvents(c, c.req.param("name")))
  app.get("/api/v1/streams/:name/ws", async (c) => serveWebsocket(c, c.req.param("name")))
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

function remoteAddress({ incoming }: HttpBindings): string {
  return incoming.socket.remoteAddress ?? "" // gone already
}

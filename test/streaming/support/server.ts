import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import { afterAll } from "vitest"
import { listen } from "../../../src/api/http-server.ts"
import type { Allowance } from "../../../src/core/allowance.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Database } from "../../../src/store/database.ts"
import { createStreaming, type Streaming, type StreamingOptions } from "../../../src/streaming/streaming.ts"
import { quietProblems } from "../../support/quiet-problems.ts"
import { connect, type TestClient } from "./client.ts"

export interface StreamServer {
  url: string
  streaming: Streaming
  /** Opens `/api/v1/events/stream` with this query, or another path that begins with a slash. */
  open(query?: string, headers?: Record<string, string>): Promise<TestClient>
  stop(): Promise<void>
}

/** The stream routes on a real port; `x-tenant` says whose events a request may see, `x-key-id` by which key. */
export async function streamServer(
  database: Database,
  options: Partial<StreamingOptions> & {
    middleware?: boolean
    allowance?: (keyId: string) => Allowance | null
  } = {},
): Promise<StreamServer> {
  const streaming = createStreaming({ database, log: silentLog, ...options })
  const app = quietProblems(new Hono<{ Bindings: HttpBindings }>())
  if (options.middleware !== false) {
    app.use(async (c, next) => {
      c.header("x-request-id", "r-1")
      c.res.headers.set("access-control-allow-origin", "*") // as Hono's own cors() does
      await next()
      c.header("x-response-time", "1") // too late for a stream, and no harm to it
    })
  }
  app.route(
    "/",
    streaming.routes((c) => ({
      tenant: c.req.header("x-tenant") ?? "default",
      keyId: c.req.header("x-key-id") ?? "admin",
      allowance: options.allowance?.(c.req.header("x-key-id") ?? "admin") ?? null,
    })),
  )
  const server = await listen(app.fetch, { host: "127.0.0.1", port: 0 })
  streaming.start()
  let stopping: Promise<void> | undefined
  const stop = () =>
    (stopping ??= (async () => {
      const closed = server.close(2_000)
      await streaming.stop()
      await closed
    })())
  afterAll(stop)
  return {
    url: server.url,
    streaming,
    open: (query = "", headers = {}) =>
      connect(`${server.url}${query.startsWith("/") ? query : `/api/v1/events/stream${query}`}`, headers),
    stop,
  }
}

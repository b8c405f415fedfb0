import type { HttpBindings } from "@hono/node-server"
import type { Env, Hono } from "hono"
import type { Log } from "../core/log.ts"
import { deadApiKeys } from "../store/api-keys.ts"
import type { Database } from "../store/database.ts"
import { createConnections, type Connections, type ConnectionLimits } from "./connections.ts"
import { createFeed, type Feed } from "./feed.ts"
import { createHistory } from "./history.ts"
import { sseRoutes, type SseRoutesOptions } from "./sse.ts"
import { createStreamDefinitions } from "./stream-definitions.ts"
import { createStreamEvents, type StreamEvents } from "./stream-events.ts"

type StreamEnv = Env & { Bindings: HttpBindings }

/** Live streams of a process, over HTTP and within it. */
export interface Streaming {
  feed: Feed
  connections: Connections
  streamEvents: StreamEvents
  /** The HTTP routes, with their paths from the root. */
  routes<E extends StreamEnv>(identify: SseRoutesOptions<E>["identify"]): Hono<E>
  start(): void
  /** Ends every stream, then the reading; idempotent. */
  stop(): Promise<void>
}

export interface StreamingOptions extends ConnectionLimits {
  database: Database
  log: Log
  /** Bytes of recent events kept for clients that come back (32 MiB). */
  ringBytes?: number
  /** Least time between two flushes (5 ms). */
  coalesceMs?: number
}

/** Makes the streaming of a process around one feed. */
export function createStreaming(options: StreamingOptions): Streaming {
  const { database, log } = options
  const feed = createFeed(options)
  const history = createHistory(database)
  const connections = createConnections({
    ...options,
    feed,
    history,
    findDeadKeys: (ids) => deadApiKeys(database.work, ids),
  })
  const findStreamFilter = createStreamDefinitions(database)
  return {
    feed,
    connections,
    streamEvents: createStreamEvents({ database, feed, history, log, findStreamFilter }),
    routes: (identify) => sseRoutes({ database, feed, connections, findStreamFilter, identify }),
    start: () => feed.start(),
    stop: async () => {
      await connections.stop()
      await feed.stop()
    },
  }
}

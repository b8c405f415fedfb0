import type { HttpBindings } from "@hono/node-server"
import type { Env, Hono } from "hono"
import type { Log } from "../core/log.ts"
import type { LogTail } from "../core/log-tail.ts"
import type { AskStreams, StreamQuestion } from "../core/stream-question.ts"
import { deadApiKeys } from "../store/api-keys.ts"
import type { Database } from "../store/database.ts"
import { createConnections, type Connections, type ConnectionLimits } from "./connections.ts"
import { createFeed, type Feed } from "./feed.ts"
import { createHistory } from "./history.ts"
import { streamRoutes, type StreamRoutesOptions } from "./routes.ts"
import { createRollCall } from "./roll-call.ts"
import { createStreamDefinitions, type StreamDefinitions } from "./stream-definitions.ts"
import { createStreamEvents, type StreamEvents } from "./stream-events.ts"

type StreamEnv = Env & { Bindings: HttpBindings }

/** Live streams of a process, over HTTP and within it. */
export interface Streaming {
  feed: Feed
  connections: Connections
  /** The streams as they stand, told of changes by the feed. */
  definitions: StreamDefinitions
  /** Asks all processes that serve streams about the open ones, this one included if it does. */
  askAll: AskStreams
  streamEvents: StreamEvents
  /** The HTTP routes, with their paths from the root. */
  routes<E extends StreamEnv>(identify: StreamRoutesOptions<E>["identify"]): Hono<E>
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
  /** Whether clients may open streams here (true): else it has none to tell of. */
  serves?: boolean
  /** Another way to the news than the database. */
  tail?: LogTail | undefined
}

/** Makes the streaming of a process around one feed. */
export function createStreaming(options: StreamingOptions): Streaming {
  const { database, log, serves = true } = options
  const rollCall = createRollCall({ db: database.work, answer: answerFor(() => connections), log })
  const definitions = createStreamDefinitions(database)
  const onQuestion = serves ? rollCall.hear : () => {}
  const feed = createFeed({ ...options, onQuestion, onStreamChange: definitions.hear })
  const history = createHistory(database)
  const connections = createConnections({
    ...options,
    feed,
    history,
    definitions,
    findDeadKeys: (ids) => deadApiKeys(database.work, ids),
  })
  return {
    feed,
    connections,
    definitions,
    askAll: rollCall.ask,
    streamEvents: createStreamEvents({ database, feed, history, log, definitions }),
    routes: (identify) => streamRoutes({ database, feed, connections, definitions, identify }),
    start: () => {
      feed.start()
      if (serves) rollCall.start()
    },
    stop: async () => {
      await Promise.all([connections.stop(), rollCall.stop()])
      await feed.stop()
    },
  }
}

function answerFor(connections: () => Connections): (question: StreamQuestion) => unknown {
  return (question) => {
    const { list, stats, statsOf, close, broadcast } = connections()
    if (question.kind === "list") return list(question.tenant)
    if (question.kind === "stats") return question.tenant === null ? stats() : statsOf(question.tenant)
    if (question.kind === "close") return close(question.tenant, question.id)
    return broadcast(question.tenant, question.names, question.json)
  }
}

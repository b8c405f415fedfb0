import { Hono } from "hono"
import type { AuthEnv } from "../auth/middleware.ts"
import type { Database } from "../store/database.ts"
import { publicationState } from "../store/log-publications.ts"

/** NATS as this process sees it. */
export interface NatsMetrics {
  /** Name of the stream in JetStream. */
  stream: string
  state: () => {
    connected: boolean
    /** Version of the server; null while it is away. */
    version: string | null
    /** Whether it is this process that publishes. */
    publishing: boolean
  }
  /** Whether the streams of this process get their news from NATS at present. */
  streaming: () => boolean
}

/**
 * `GET /api/v1/metrics/nats`: whether this process is connected, and how far what is published is behind the
 * log; 404 where NATS is not used. Every process that has a port answers for itself.
 */
export function natsMetricRoutes(database: Database, nats: NatsMetrics): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  app.get("/", async (c) => {
    const { stream, state, streaming } = nats
    const { position, publishedAt, head, waitingSeconds } = await publicationState(database.work, stream)
    return c.json({
      stream,
      ...state(),
      streaming: streaming(),
      publishedPosition: position,
      publishedAt: publishedAt?.toISOString() ?? null,
      headPosition: head,
      lagEvents: Math.max(0, head - (position ?? 0)),
      lagSeconds: waitingSeconds,
    })
  })
  return app
}

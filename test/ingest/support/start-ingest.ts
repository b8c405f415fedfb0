import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { afterAll } from "vitest"
import { submitRoute } from "../../../src/api/submit.ts"
import type { AppEnv } from "../../../src/api/app.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Platform } from "../../../src/core/platform.ts"
import { createIngest, type Ingest, type IngestOptions } from "../../../src/ingest/ingest.ts"
import { platforms as allPlatforms } from "../../../src/platforms/index.ts"
import { createQueue } from "../../../src/queue/queue.ts"
import type { Database } from "../../../src/store/database.ts"
import { quietProblems } from "../../support/quiet-problems.ts"
import { testSources } from "../../support/sources.ts"
import type { SourceSettings } from "../../../src/sources/standing-sources.ts"

/** A running way in, over real HTTP. */
export interface RunningIngest {
  /** Without a slash at the end. */
  url: string
  port: number
  ingest: Ingest
}

export interface StartOptions extends Partial<IngestOptions> {
  database: Database
  platforms?: readonly Platform[]
  secrets: Readonly<Record<string, readonly string[]>>
  extra?: readonly SourceSettings[]
}

/**
 * Serves the webhook routes, and `/api/v1/events` for anybody, on a free port, with the real queue;
 * everything ends after the test file.
 */
export async function startIngest(options: StartOptions): Promise<RunningIngest> {
  const { database, platforms = allPlatforms, secrets, extra = [], ...rest } = options
  const queue = createQueue({ url: database.url, log: silentLog })
  await queue.start()
  const ingest = createIngest({
    databaseUrl: database.url,
    platforms,
    sources: await testSources({ database, platforms, secrets: new Map(Object.entries(secrets)), extra }),
    jobStatements: queue.jobStatements,
    log: silentLog,
    ...rest,
  })
  const app = quietProblems(new Hono<AppEnv>()).route("/", ingest.routes)
  app.use("/api/v1/events", async (c, next) => {
    c.set("principal", { keyId: "test", tenant: "acme", scopes: new Set(["events:write"]) })
    await next()
  })
  app.route("/api/v1/events", submitRoute(ingest.submitRequest, "custom"))
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  afterAll(async () => {
    server.close()
    if ("closeAllConnections" in server) server.closeAllConnections()
    await ingest.close()
    await queue.stop()
  })
  return { url: `http://127.0.0.1:${port}`, port, ingest }
}

import { setTimeout as sleep } from "node:timers/promises"
import { Hono } from "hono"
import { Registry } from "prom-client"
import type { Authenticate } from "../../auth/authenticate.ts"
import type { Log } from "../../core/log.ts"
import type { Db } from "../../store/database.ts"
import { readHubFigures, type HubFigures } from "../../store/hub-figures.ts"
import { publicationState, type PublicationState } from "../../store/log-publications.ts"
import { metricsAccess } from "./access.ts"
import { countProcessed, type ProcessedCounts } from "./counted.ts"
import { createPage } from "./page.ts"
import { processDefaults } from "./process-defaults.ts"
import type { ProcessFigures } from "./process-figures.ts"
import { showHub } from "./show-hub.ts"
import { showProcess } from "./show-process.ts"

export interface PrometheusOptions {
  /** Under the worker role, with a connection of its own that gives up in time: the others may all be busy. */
  db: Db
  /** Names of the queues of processing. */
  queues: readonly string[]
  log: Log
  /** Milliseconds for which the figures of the database are good (5 s). */
  cacheMs?: number
  /** Milliseconds that a page waits for them (3 s). */
  patienceMs?: number
}

/** The figures of a process and of its hub, for Prometheus. */
export interface Prometheus extends ProcessedCounts {
  /** `GET /metrics`. */
  routes(authenticate: Authenticate, figures: ProcessFigures): Hono
}

interface Read {
  figures: HubFigures
  published: PublicationState | null
}

const limits = { counted: 10_000, named: 200 }

/**
 * Makes the figures. Those of the database are read by one question at a time, and kept for five seconds,
 * however many ask; where they cannot be had, the process' own are told without them.
 */
export function createPrometheus(options: PrometheusOptions): Prometheus {
  const { db, queues, log, cacheMs = 5_000, patienceMs = 3_000 } = options
  const counted = new Registry()
  let reading: Promise<Read | null> | undefined
  let kept: { read: Read; until: number } | undefined

  async function read(natsStream: string | undefined): Promise<Read | null> {
    try {
      const figures = await readHubFigures(db, queues, limits)
      const published = natsStream === undefined ? null : await publicationState(db, natsStream)
      kept = { read: { figures, published }, until: performance.now() + cacheMs }
      return kept.read
    } catch (error) {
      log.warn({ err: error }, "the figures of the database could not be read")
      return null
    }
  }

  async function current(natsStream: string | undefined): Promise<Read | null> {
    if (kept !== undefined && performance.now() < kept.until) return kept.read
    reading ??= read(natsStream).finally(() => (reading = undefined))
    const ended = new AbortController()
    const late = sleep(patienceMs, null, { signal: ended.signal, ref: false }).catch(() => null)
    return Promise.race([reading, late]).finally(() => ended.abort())
  }

  async function textOf(figures: ProcessFigures, withHub: boolean): Promise<string> {
    const found = withHub ? await current(figures.nats?.stream) : null
    const page = createPage()
    page.gauge(
      "signalbox_database_up",
      "1 where PostgreSQL has answered for this page",
      Number(found !== null),
    )
    showProcess(page, figures)
    if (found !== null) showHub(page, found.figures, found.published)
    return [await page.text(), await counted.metrics(), await processDefaults()]
      .map((part) => part.trimEnd())
      .filter((part) => part !== "")
      .join("\n\n")
      .concat("\n")
  }

  return {
    ...countProcessed(counted),
    routes: (authenticate, figures) => {
      const app = new Hono()
      const access = metricsAccess({ authenticate })
      app.get("/metrics", async (c) => {
        const shown = await access(c.req.raw.headers)
        c.header("cache-control", "no-store")
        return c.body(await textOf(figures, shown === "all"), 200, { "content-type": counted.contentType })
      })
      return app
    },
  }
}

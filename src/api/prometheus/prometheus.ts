import { Hono } from "hono"
import { Registry } from "prom-client"
import type { Authenticate } from "../../auth/authenticate.ts"
import type { Log } from "../../core/log.ts"
import type { Db } from "../../store/database.ts"
import { readHubFigures, type HubFigures } from "../../store/hub-figures.ts"
import { publicationState, type PublicationState } from "../../store/log-publications.ts"
import { metricsAccess } from "./access.ts"
import { countProcessed, type ProcessedCounts } from "./counted.ts"
import { keepLatest } from "./latest.ts"
import { createPage } from "./page.ts"
import { processDefaults } from "./process-defaults.ts"
import type { ProcessFigures } from "./process-figures.ts"
import { showHub } from "./show-hub.ts"
import { showProcess } from "./show-process.ts"

export interface PrometheusOptions {
  /** Under the worker role, with a connection of its own that gives up in time: the others may all be busy. */
  db: Db
  /** The same, for the question whether the database answers at all: figures may be long in coming (`db`). */
  probe?: Db
  /** Names of the queues of processing. */
  queues: readonly string[]
  log: Log
  /** Milliseconds for which the figures of the database are good (5 s). */
  cacheMs?: number
  /** Milliseconds that a page waits for the database, at each of the two questions that it may have (2 s). */
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
 * however many ask. Where they are long in coming, the last ones are told, with their age; where the database
 * does not answer at all, the process' own are told without them.
 */
export function createPrometheus(options: PrometheusOptions): Prometheus {
  const { db, probe = db, queues, log, cacheMs = 5_000, patienceMs = 2_000 } = options
  const counted = new Registry()

  async function read(natsStream: string | undefined): Promise<Read> {
    const figures = await readHubFigures(db, queues, limits)
    const published = natsStream === undefined ? null : await publicationState(db, natsStream)
    return { figures, published }
  }

  function pageOf(own: ProcessFigures): (withHub: boolean) => Promise<string> {
    const kept = { goodForMs: cacheMs, patienceMs }
    const answered = keepLatest(() => probe.query("select 1"), {
      ...kept,
      onError: (error) => log.warn({ err: error }, "the database does not answer"),
    })
    const hub = keepLatest(() => read(own.nats?.stream), {
      ...kept,
      onError: (error) => log.warn({ err: error }, "the figures of the database could not be read"),
    })
    return async (withHub) => {
      const isUp = (await answered())?.isFresh === true
      const found = withHub && isUp ? await hub() : undefined
      const page = createPage()
      page.gauge("signalbox_database_up", "1 where PostgreSQL has answered for this page", Number(isUp))
      showProcess(page, own)
      if (found !== undefined) {
        page.gauge(
          "signalbox_figures_age_seconds",
          "Age of what this page tells of the hub by the database",
          found.ageMs / 1_000,
        )
        showHub(page, found.value.figures, found.value.published)
      }
      return [await page.text(), await counted.metrics(), await processDefaults()]
        .map((part) => part.trimEnd())
        .filter((part) => part !== "")
        .join("\n\n")
        .concat("\n")
    }
  }

  return {
    ...countProcessed(counted),
    routes: (authenticate, figures) => {
      const app = new Hono()
      const access = metricsAccess({ authenticate })
      const textOf = pageOf(figures)
      app.get("/metrics", async (c) => {
        const shown = await access(c.req.raw.headers)
        c.header("cache-control", "no-store")
        return c.body(await textOf(shown === "all"), 200, { "content-type": counted.contentType })
      })
      return app
    },
  }
}

import { Hono } from "hono"
import type { Db } from "../store/database.ts"

export interface HealthOptions {
  db: Db
  /** Names each part that is not ready; empty when all are. */
  unready: () => string[]
  /** What else is worth to be known, and no reason not to be ready. */
  details?: (() => object) | undefined
}

/** `/healthz` says that the process answers; `/readyz` that it can do its work, database included. */
export function healthRoutes({ db, unready, details }: HealthOptions): Hono {
  const app = new Hono()
  app.get("/healthz", (c) => c.json({ status: "ok" }))
  app.get("/readyz", async (c) => {
    const waiting = unready()
    try {
      await db.query("select 1")
    } catch {
      waiting.push("database")
    }
    if (waiting.length === 0) return c.json({ status: "ready", ...details?.() })
    c.header("retry-after", "1")
    return c.json({ status: "unready", waiting, ...details?.() }, 503)
  })
  return app
}

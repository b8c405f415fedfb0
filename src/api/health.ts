import { Hono } from "hono"
import type { Components } from "../core/component.ts"
import type { Db } from "../store/database.ts"

export interface HealthOptions {
  db: Db
  /** Names each part that is not ready; empty when all are. */
  unready: () => string[]
  /** How each part does; none of it is a reason not to be ready. */
  components: Components
}

const patienceMs = 4_000

/**
 * `/healthz` says that the process answers; `/readyz` that it can do its work, database included, and how each
 * part does. Both are for anybody who reaches the port: they name no tenant, and cost one question to the
 * database at a time, however many ask.
 */
export function healthRoutes({ db, unready, components }: HealthOptions): Hono {
  const app = new Hono()
  const hasDatabase = oneQuestion(db)
  app.get("/healthz", (c) => c.json({ status: "ok" }))
  app.get("/readyz", async (c) => {
    const waiting = unready()
    const isThere = await hasDatabase()
    if (!isThere) waiting.push("database")
    const states = [...components].map(([name, ask]) => [name, ask()] as const)
    const problems = states.flatMap(([name, { problem }]) =>
      problem === undefined ? [] : [`${name}: ${problem}`],
    )
    const details = {
      database: isThere ? "working" : "away",
      ...Object.fromEntries(states.map(([name, { state }]) => [name, state])),
      ...(problems.length > 0 && { problems }),
    }
    if (waiting.length === 0) return c.json({ status: "ready", ...details })
    c.header("retry-after", "1")
    return c.json({ status: "unready", waiting, ...details }, 503)
  })
  return app
}

/** Whether the database answers; those who ask while it is being asked have the same answer. */
function oneQuestion(db: Db): () => Promise<boolean> {
  let asking: Promise<boolean> | undefined

  async function ask(): Promise<boolean> {
    const answer = db.query("select 1").then(
      () => true,
      () => false,
    )
    const { promise: late, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(resolve, patienceMs, false)
    return Promise.race([answer, late]).finally(() => clearTimeout(timer))
  }

  return () => (asking ??= ask().finally(() => (asking = undefined)))
}

import { setTimeout as sleep } from "node:timers/promises"
import { Hono } from "hono"

/**
 * `GET /memory`: resident bytes as they stand, and after a collection that also gives back what the
 * heap grew by in a rush and does not need any more. The process needs `--expose-gc`.
 */
export function memoryRoute(): Hono {
  const app = new Hono()
  app.get("/memory", async (c) => {
    const standing = process.memoryUsage.rss()
    for (let round = 0; round < 4; round++) {
      globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" })
      await sleep(50)
    }
    return c.json({ standing, retained: process.memoryUsage.rss() })
  })
  return app
}

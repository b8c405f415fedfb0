import type { PgBoss } from "pg-boss"
import type { Log } from "../core/log.ts"

const quietMs = 5_000

/**
 * Writes pg-boss's errors and warnings to the log. While the database is away every poll of every
 * worker fails alike, so the same message is written once in five seconds.
 */
export function reportFaults(boss: PgBoss, log: Log): void {
  const lastSaid = new Map<string, number>()
  const isNews = (message: string): boolean => {
    const now = Date.now()
    for (const [said, at] of lastSaid) if (now - at >= quietMs) lastSaid.delete(said)
    if (lastSaid.has(message)) return false
    lastSaid.set(message, now)
    return true
  }
  boss.on("error", (error) => {
    // The error itself may carry a whole connection with it.
    const reason = error.message.replace(/ \(Queue: .*$/, "")
    if (isNews(reason)) log.warn({ reason }, "the queue met an error and goes on")
  })
  boss.on("warning", ({ message, data }) => {
    if (isNews(message)) log.warn({ data }, message)
  })
}

import type { PgBoss } from "pg-boss"
import type { Log } from "../core/log.ts"

const quietMs = 5_000

/** Where what goes wrong in the background is told. */
export interface Faults {
  report: (error: unknown) => void
}

/**
 * Writes pg-boss's errors and warnings, and those reported, to the log. While the database is away
 * every look of every lane fails alike, so the same message is written once in five seconds.
 */
export function reportFaults(boss: PgBoss, log: Log): Faults {
  const lastSaid = new Map<string, number>()
  const isNews = (message: string): boolean => {
    const now = Date.now()
    for (const [said, at] of lastSaid) if (now - at >= quietMs) lastSaid.delete(said)
    if (lastSaid.has(message)) return false
    lastSaid.set(message, now)
    return true
  }
  const report = (error: unknown): void => {
    // The error itself may carry a whole connection with it.
    const reason = error instanceof Error ? error.message : String(error)
    if (isNews(reason)) log.warn({ reason }, "the queue met an error and goes on")
  }
  boss.on("error", report)
  boss.on("warning", ({ message, data }) => {
    if (isNews(message)) log.warn({ data }, message)
  })
  return { report }
}

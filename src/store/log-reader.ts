import type pg from "pg"
import { createPool } from "./database.ts"
import { logHead, readLogPage, type LogPage } from "./log-pages.ts"

/** Channel on which processing tells the newest position, once a batch. */
const logChannel = "signalbox_log"

/** A connection of its own to the log, which also hears of its growth. */
export interface LogReader {
  /** What follows a position, see `readLogPage`. */
  read(after: number, maxBytes: number): Promise<LogPage>
  head(): Promise<number>
  close(): Promise<void>
}

export interface LogReaderOptions {
  url: string
  /** Called with the newest position when processing tells it; hints may be lost. */
  onHint: (position: number) => void
  /** Called once when the connection is lost; the reader is of no use after it. */
  onLost: (error: Error) => void
}

const queryTimeoutMs = 15_000

/** Opens the connection and listens; rejects where the server is away. */
export async function openLogReader({ url, onHint, onLost }: LogReaderOptions): Promise<LogReader> {
  const pool = createPool(url, { role: "signalbox_worker", max: 1 })
  let lost = false
  const lose = (error: Error) => {
    if (lost) return
    lost = true
    onLost(error)
  }
  let client: pg.PoolClient | undefined
  const close = async () => {
    lost = true // ending it is no loss
    client?.release(true)
    await pool.end()
  }
  try {
    const connection = (client = await pool.connect())
    connection.on("error", lose)
    connection.on("end", () => lose(new Error("the connection ended")))
    connection.on("notification", ({ payload }) => onHint(Number(payload)))
    await within(connection.query(`listen ${logChannel}`))
    // All reads have one text, whose plan for one position is good for every other. It outlives the
    // statistics it was made by: one made while the log was empty would read whole tables ever after.
    await within(
      connection.query(
        `set plan_cache_mode = force_generic_plan; set jit = off; set enable_seqscan = off;
         set enable_hashjoin = off; set enable_mergejoin = off`,
      ),
    )
    return {
      read: (after, maxBytes) => within(readLogPage(connection, after, maxBytes)),
      head: () => within(logHead(connection)),
      close,
    }
  } catch (error) {
    void close().catch(() => {})
    throw error
  }
}

/** Rejects where an answer takes too long: a peer that vanished without a word never answers at all. */
async function within<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error("the database gave no answer in time")), queryTimeoutMs)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}

import type pg from "pg"
import { createPool, type Db } from "./database.ts"
import { logHead, readLogPage, type LogPage } from "./log-pages.ts"

/** Channel on which processing tells the newest position, once a batch. */
const logChannel = "signalbox_log"
/** Channel on which all that serve streams are asked something, see stream-nodes.ts. */
const questionChannel = "signalbox_streams"
/** Channel on which the tenant is told whose streams have changed. */
const streamChannel = "signalbox_stream_changes"

/** A connection of its own to the log, which also hears of its growth. */
export interface LogReader {
  /** What follows a position, see `readLogPage`. */
  read(after: number, maxBytes: number): Promise<LogPage>
  head(): Promise<number>
  /** Asks something else over the same connection. */
  use<T>(ask: (session: Db) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface LogReaderOptions {
  url: string
  /** What its session is called in pg_stat_activity, after `signalbox `. */
  name: string
  /** Called with the newest position when processing tells it; hints may be lost. */
  onHint: (position: number) => void
  /** Called with what is asked of all that serve streams; a question may be lost as well. */
  onQuestion?: ((text: string) => void) | undefined
  /** Called with the tenant whose streams were made, changed or removed; that may be lost too. */
  onStreamChange?: ((tenant: string) => void) | undefined
  /** Called once when the connection is lost; the reader is of no use after it. */
  onLost: (error: Error) => void
}

const queryTimeoutMs = 15_000

/** Opens the connection and listens; rejects where the server is away. */
export async function openLogReader({
  url,
  name,
  onHint,
  onQuestion,
  onStreamChange,
  onLost,
}: LogReaderOptions): Promise<LogReader> {
  const pool = createPool(url, { role: "signalbox_worker", max: 1, name })
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
    connection.on("notification", ({ channel, payload = "" }) => {
      if (channel === logChannel) onHint(Number(payload))
      else if (channel === questionChannel) onQuestion?.(payload)
      else onStreamChange?.(payload)
    })
    await within(connection.query(`listen ${logChannel}; listen ${questionChannel}; listen ${streamChannel}`))
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
      use: (ask) => within(ask(connection)),
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

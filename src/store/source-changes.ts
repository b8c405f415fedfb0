import { createPool, type Db } from "./database.ts"

/** Channel on which every change to a source is hinted at, once a transaction. */
const sourcesChannel = "signalbox_sources"

/** A connection of its own, which also hears of changes to sources. */
export interface SourceWatch {
  db: Db
  close(): Promise<void>
}

export interface SourceWatchOptions {
  url: string
  /** Hints may be lost. */
  onHint: () => void
  /** Called once when the connection is lost; the watch is of no use after it. */
  onLost: () => void
}

/** Opens the connection and listens; rejects where the server is away. */
export async function watchSources({ url, onHint, onLost }: SourceWatchOptions): Promise<SourceWatch> {
  const pool = createPool(url, {
    role: "signalbox_worker",
    name: "sources",
    max: 1,
    queryTimeoutMs: 10_000, // a peer that vanished without a word never answers at all
  })
  let lost = false
  const lose = () => {
    if (lost) return
    lost = true
    onLost()
  }
  try {
    const client = await pool.connect()
    client.on("error", lose)
    client.on("end", lose)
    client.on("notification", onHint)
    const close = async () => {
      lost = true // ending it is no loss
      client.release(true)
      await pool.end()
    }
    try {
      await client.query(`listen ${sourcesChannel}`)
    } catch (error) {
      await close()
      throw error
    }
    return { db: client, close }
  } catch (error) {
    await pool.end().catch(() => {})
    throw error
  }
}

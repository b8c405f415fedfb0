import { createPool, type Db } from "./database.ts"

/** Channel on which every change to a webhook subscription is hinted at, once a transaction. */
const channel = "signalbox_subscriptions"

/** Somebody who listens. */
export interface WebhookChanges {
  close(): Promise<void>
}

/** Has every process that sends look for changes at once. */
export async function hintAtWebhooks(db: Db): Promise<void> {
  await db.query(`notify ${channel}`)
}

const retryMs = 1_000

/**
 * Calls back at each change to a webhook subscription, on a connection of its own that is made anew
 * whenever it breaks. Hints may be lost: who needs to know looks from time to time as well.
 */
export function listenForWebhookChanges(url: string, onHint: () => void): WebhookChanges {
  const pool = createPool(url, {
    role: "signalbox_worker",
    name: "subscriptions",
    max: 1,
    queryTimeoutMs: 10_000, // a peer that vanished without a word never answers at all
    idleTimeoutMs: 0,
  })
  const closed = new AbortController()
  const { signal } = closed

  async function listenOnce(): Promise<void> {
    const client = await pool.connect()
    const over = Promise.withResolvers<void>()
    signal.addEventListener("abort", () => over.resolve(), { once: true })
    if (signal.aborted) over.resolve()
    client.on("error", () => over.resolve())
    client.on("end", () => over.resolve())
    client.on("notification", onHint)
    try {
      await client.query(`listen ${channel}`)
      onHint() // of what changed before nobody was told
      await over.promise
    } finally {
      client.release(true)
    }
  }

  async function listen(): Promise<void> {
    while (!signal.aborted) {
      await listenOnce().catch(() => {})
      if (!signal.aborted) await pause(retryMs, signal)
    }
  }

  const listening = listen()
  return {
    async close() {
      closed.abort()
      await listening
      await pool.end()
    },
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true })
  })
}

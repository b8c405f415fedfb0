import { failureOf } from "../store/failure.ts"

/** Sends items that come together as one batch; answers each with what became of it. */
export type Coalesced<Item, Result> = (item: Item) => Promise<Result>

interface Waiting<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Gathers items into batches without a timer: a batch leaves when the one before it is done, so that
 * batches grow with the load. `send` answers in the order of its items. A batch that the database
 * refuses is sent again one item at a time, so that a bad item harms no other.
 */
export function coalesce<Item, Result>(
  send: (items: readonly Item[]) => Promise<Result[]>,
  maxItems: number,
): Coalesced<Item, Result> {
  const waiting: Waiting<Item, Result>[] = []
  let sending = false

  async function drain(): Promise<void> {
    sending = true
    await new Promise(setImmediate) // what became ready in the same turn goes together
    while (waiting.length > 0) await settle(waiting.splice(0, maxItems))
    sending = false
  }

  async function settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await send(batch.map(({ item }) => item))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index]
        if (result === undefined) reject(new Error("a batch was answered in part"))
        else resolve(result)
      }
    } catch (error) {
      const failure = failureOf(error)
      // Where nobody answers, or another transaction is in the way, one at a time would fare no better.
      const together = batch.length === 1 || failure === "away" || failure === "contention"
      if (together) for (const { reject } of batch) reject(error)
      else for (const one of batch) await settle([one])
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!sending) void drain()
    })
}

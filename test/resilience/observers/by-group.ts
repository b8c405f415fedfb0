import { setTimeout as sleep } from "node:timers/promises"
import { createClient } from "../../../src/client/index.ts"
import { sightings, type Observed, type Observer } from "./observer.ts"

/** Observes as so many members of a consumer group, which share its events: what any of them sees counts. */
export function observeByGroup({ name, url, key }: Observed, group: string, members: number): Observer {
  const log = sightings()
  const stopping = new AbortController()
  const { signal } = stopping

  async function work(): Promise<void> {
    while (!signal.aborted) {
      const consumer = createClient({ url, key }).group(group, {
        signal,
        onGap: (gap) => log.gaps.push(gap),
        onRetry: () => log.reconnects++,
      })
      try {
        await consumer.run(({ position }) => log.positions.push(position))
      } catch (error) {
        log.givenUp.push(String(error))
        await sleep(200)
      }
    }
  }

  const working = Promise.all(Array.from({ length: members }, work))
  return {
    name,
    log,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await working
    },
  }
}

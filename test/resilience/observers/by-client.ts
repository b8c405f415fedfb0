import { setTimeout as sleep } from "node:timers/promises"
import { createClient } from "../../../src/client/index.ts"
import { reached, sightings, type Observed, type Observer } from "./observer.ts"

/** Observes with `signalbox/client`, as a program of a user's does. */
export function observeByClient(
  { name, url, key, types }: Observed,
  transport: "sse" | "websocket",
): Observer {
  const log = sightings()
  const stopping = new AbortController()
  const { signal } = stopping
  const client = createClient({ url, key })

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      let opened = 0
      const stream = client.stream("all_events", {
        after: reached(log),
        transport,
        types,
        heartbeat: 1,
        signal,
        onGap: (gap) => log.gaps.push(gap),
        onOpen: () => {
          if (opened++ > 0) log.reconnects++
        },
      })
      try {
        for await (const { position } of stream) log.positions.push(position)
      } catch (error) {
        log.givenUp.push(String(error))
        await sleep(200)
      }
    }
  }

  const following = follow()
  return {
    name,
    log,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await following
    },
  }
}

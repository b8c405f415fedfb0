import { setTimeout as sleep } from "node:timers/promises"
import type { Chance } from "./chance.ts"

/** Types of the flow's events. */
export const flowTypes = ["flow.thing.even", "flow.thing.odd"] as const

/** A steady flow of events. */
export interface Flow {
  /** Ids of the events that were acknowledged. */
  readonly acknowledged: readonly string[]
  /** Ends it; resolves when the last one was answered. */
  stop(): Promise<void>
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"

/** Submits some 50 events a second, of a few bytes to 100 KB, that do not compress well. */
export function startFlow(url: string, key: string, chance: Chance): Flow {
  const acknowledged: string[] = []
  const stopping = new AbortController()
  let number = 0

  function textOf(length: number): string {
    let text = ""
    while (text.length < length) text += letters[chance.between(0, 63)]
    return text
  }

  async function submit(): Promise<void> {
    const n = number++
    const length = chance.next() < 0.002 ? 100_000 : Math.floor(chance.next() ** 3 * 6_000)
    const event = {
      type: flowTypes[n % 2],
      title: `№ ${n} 😀`,
      entity: `flow:thing:${chance.between(1, 12)}`,
      payload: { n, pad: textOf(length) },
    }
    const response = await fetch(`${url}/api/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(event),
    })
    const text = await response.text()
    if (response.status !== 202) throw new Error(`an event was answered ${response.status}: ${text}`)
    const { eventId }: { eventId: string } = JSON.parse(text)
    acknowledged.push(eventId)
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await Promise.all(Array.from({ length: chance.between(1, 6) }, submit))
      await sleep(chance.between(20, 100))
    }
  }

  const running = run()
  running.catch(() => {}) // told by stop()
  return {
    acknowledged,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

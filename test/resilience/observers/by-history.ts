import { setTimeout as sleep } from "node:timers/promises"
import { reached, sightings, type Observed, type Observer } from "./observer.ts"

interface Page {
  events: { position: number }[]
  /** Everything up to here has been told. */
  position: number
}

const pause = 100
const patienceMs = 4_000

/** Observes by asking for the history again and again, each time behind what it has. */
export function observeByHistory({ name, url, key, types }: Observed): Observer {
  const log = sightings()
  const stopping = new AbortController()
  const { signal } = stopping
  let after = 0

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        await ask()
      } catch {
        log.reconnects++ // cut off, and asked again
      }
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }

  async function ask(): Promise<void> {
    const path = `/api/v1/events?after=${after}&limit=40${types === undefined ? "" : `&types=${types}`}`
    const response = await fetch(url + path, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    })
    if (response.status === 410) {
      const { missing }: { missing: { from: number; to: number } } = JSON.parse(await response.text())
      log.gaps.push(missing)
      after = missing.to
      return
    }
    if (response.status !== 200) {
      log.refusals[response.status] = (log.refusals[response.status] ?? 0) + 1
      await response.body?.cancel()
      return
    }
    const page: Page = JSON.parse(await response.text())
    log.positions.push(...page.events.map(({ position }) => position))
    after = Math.max(page.position, reached(log))
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

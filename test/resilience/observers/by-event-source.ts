import { EventSource } from "eventsource"
import { reached, sightings, streamQuery, type Observed, type Observer } from "./observer.ts"

/** Observes with the EventSource of npm, which comes back by itself wherever the HTML standard says so. */
export function observeByEventSource({ name, url, key }: Observed, types: readonly string[]): Observer {
  const log = sightings()
  let source: EventSource | undefined
  let again: NodeJS.Timeout | undefined

  function open(): void {
    let opened = 0
    const path = `/api/v1/streams/all_events/sse${streamQuery({}, reached(log))}`
    const opening = new EventSource(url + path, {
      fetch: async (input, init) =>
        fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } }),
    })
    source = opening
    opening.addEventListener("open", () => {
      if (opened++ > 0) log.reconnects++
    })
    opening.addEventListener("error", ({ code, message }) => {
      if (opening.readyState !== EventSource.CLOSED) return
      log.givenUp.push(`${code ?? "no status"}: ${message ?? "no message"}`)
      again = setTimeout(open, 200)
    })
    for (const type of types) {
      opening.addEventListener(type, ({ lastEventId }) => log.positions.push(Number(lastEventId)))
    }
    opening.addEventListener("gap", ({ data }) => log.gaps.push(JSON.parse(data)))
  }

  open()
  return {
    name,
    log,
    [Symbol.asyncDispose]: async () => {
      clearTimeout(again)
      source?.close()
    },
  }
}

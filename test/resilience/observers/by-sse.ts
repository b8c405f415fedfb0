import { request, type IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { createBrotliDecompress, createGunzip } from "node:zlib"
import { SseParser } from "../../streaming/support/sse-parser.ts"
import { reached, sightings, streamQuery, type Observed, type Observer } from "./observer.ts"

const silenceMs = 4_000
const decoders = { gzip: createGunzip, br: createBrotliDecompress }

/** Observes with nothing but HTTP and a parser of the HTML standard: what it resumes from is the last event id. */
export function observeBySse(observed: Observed, coding: "identity" | "gzip" | "br"): Observer {
  const { name, url, key } = observed
  const log = sightings()
  const stopping = new AbortController()
  const { signal } = stopping
  let lastEventId = ""
  let retryMs = 500

  async function follow(): Promise<void> {
    for (let connections = 0; !signal.aborted; connections++) {
      try {
        await readConnection(connections > 0)
      } catch {
        // lost, which the next connection makes up for
      }
      await sleep(retryMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {})
    }
  }

  async function readConnection(isAgain: boolean): Promise<void> {
    const connection = new AbortController()
    const cut = (): void => connection.abort()
    signal.addEventListener("abort", cut)
    let silence = setTimeout(cut, silenceMs)
    try {
      const response = await send(connection.signal)
      if (response.statusCode !== 200) {
        const status = response.statusCode ?? 0
        log.refusals[status] = (log.refusals[status] ?? 0) + 1
        response.destroy()
        return
      }
      const got = response.headers["content-encoding"] ?? "identity"
      if (got !== coding) throw new Error(`asked for ${coding}, got ${got}`)
      if (isAgain) log.reconnects++
      const parser = new SseParser(({ type, data, lastEventId: id }) => {
        if (type === "gap") log.gaps.push(JSON.parse(data))
        else if (type !== "end") log.positions.push(Number(id)) // that one says why the hub ends it
      })
      for await (const bytes of decoded(response)) {
        clearTimeout(silence)
        silence = setTimeout(cut, silenceMs)
        parser.push(bytes)
        parser.messages.length = 0 // they were handed on
        if (parser.lastEventId !== "") lastEventId = parser.lastEventId
        retryMs = parser.retry ?? retryMs
      }
    } finally {
      clearTimeout(silence)
      signal.removeEventListener("abort", cut)
      connection.abort()
    }
  }

  async function send(until: AbortSignal): Promise<IncomingMessage> {
    const path = `/api/v1/streams/all_events/sse${streamQuery(observed, reached(log))}`
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${key}`,
        "accept-encoding": coding,
        ...(lastEventId === "" ? {} : { "last-event-id": lastEventId }),
      }
      request(url + path, { headers, agent: false, signal: until }, resolve)
        .on("error", reject)
        .end()
    })
  }

  function decoded(response: IncomingMessage): AsyncIterable<Buffer> {
    if (coding === "identity") return response
    const decoder = decoders[coding]()
    response.on("error", (error) => decoder.destroy(error))
    const piped: Readable = response.pipe(decoder)
    return piped
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

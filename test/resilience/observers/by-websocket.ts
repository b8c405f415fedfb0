import { setTimeout as sleep } from "node:timers/promises"
import { WebSocket } from "ws"
import { sightings, streamQuery, type Observed, type Observer } from "./observer.ts"

const silenceMs = 4_000

interface Message {
  kind: string
  position: number
  from: number
  to: number
  retryMs: number
}

/** Observes with a WebSocket and nothing else: what it resumes from is the last position that it was told. */
export function observeByWebsocket(observed: Observed, perMessageDeflate: boolean): Observer {
  const { name, url, key } = observed
  const log = sightings()
  const stopping = new AbortController()
  const { signal } = stopping
  let after = 0
  let retryMs = 500

  async function follow(): Promise<void> {
    for (let connections = 0; !signal.aborted; connections++) {
      await readConnection(connections > 0)
      await sleep(retryMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {})
    }
  }

  async function readConnection(isAgain: boolean): Promise<void> {
    const path = `/api/v1/streams/all_events/ws${streamQuery(observed, after)}`
    const socket = new WebSocket(url.replace("http", "ws") + path, {
      headers: { authorization: `Bearer ${key}` },
      perMessageDeflate,
    })
    const cut = (): void => socket.terminate()
    signal.addEventListener("abort", cut)
    let silence = setTimeout(cut, silenceMs)
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    socket.on("error", () => {}) // told by "close" as well
    socket.on("close", () => resolve())
    socket.on("unexpected-response", (_, { statusCode = 0 }) => {
      log.refusals[statusCode] = (log.refusals[statusCode] ?? 0) + 1
      socket.terminate()
    })
    socket.on("open", () => {
      if (isAgain) log.reconnects++
    })
    socket.on("message", (bytes: Buffer) => {
      clearTimeout(silence)
      silence = setTimeout(cut, silenceMs)
      take(JSON.parse(bytes.toString()))
    })
    await gone
    clearTimeout(silence)
    signal.removeEventListener("abort", cut)
  }

  function take({ kind, position, from, to, retryMs: asked }: Message): void {
    if (kind === "end") retryMs = asked
    if (kind === "event") log.positions.push(position)
    if (kind === "gap") log.gaps.push({ from, to })
    if (kind === "event" || kind === "gap" || kind === "position") after = Math.max(after, position)
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

import { once } from "node:events"
import { request, type IncomingMessage } from "node:http"
import { createBrotliDecompress, createGunzip, type BrotliDecompress, type Gunzip } from "node:zlib"
import { WebSocket } from "ws"
import { SseParser } from "./sse-parser.ts"

/** A client that can be kept from reading, whatever its transport. */
export interface StallingClient {
  /** Positions of the events that came, in the order they came. */
  readonly positions: number[]
  /** Stops taking bytes from the socket. */
  pause(): void
  resume(): void
  /** Resolves when the connection is gone and all that came is read. */
  readonly closed: Promise<void>
  cut(): void
}

const decoders = { gzip: createGunzip, br: createBrotliDecompress }

/** The ways to a stream: how each is opened behind a position. */
export const transports = {
  SSE: (url: string, after: number) => openSse(url, after, null),
  "SSE in gzip": (url: string, after: number) => openSse(url, after, "gzip"),
  "SSE in Brotli": (url: string, after: number) => openSse(url, after, "br"),
  WebSocket: (url: string, after: number) => openWebsocket(url, after, false),
  "deflated WebSocket": (url: string, after: number) => openWebsocket(url, after, true),
} satisfies Record<string, (url: string, after: number) => Promise<StallingClient>>

async function openSse(
  url: string,
  after: number,
  coding: keyof typeof decoders | null,
): Promise<StallingClient> {
  const headers = { "accept-encoding": coding ?? "identity" }
  const sent = request(`${url}/api/v1/events/stream?after=${after}`, { headers, agent: false }).end()
  const [response] = (await once(sent, "response")) as [IncomingMessage]
  if (response.headers["content-encoding"] !== (coding ?? undefined)) throw new Error("another coding")
  const positions: number[] = []
  const parser = new SseParser(({ lastEventId }) => {
    positions.push(Number(lastEventId))
    parser.messages.length = 0 // large, and told by their positions here
  })
  const decoder: Gunzip | BrotliDecompress | undefined = coding === null ? undefined : decoders[coding]()
  decoder?.on("data", (bytes: Buffer) => parser.push(bytes))
  const closed = Promise.withResolvers<void>()
  response.on("data", (bytes: Buffer) => {
    if (decoder === undefined) parser.push(bytes)
    else decoder.write(bytes)
  })
  response.on("error", () => {}) // told by "close" as well
  response.on("close", () => {
    if (decoder === undefined) closed.resolve()
    else decoder.flush(() => closed.resolve()) // behind all that was written; it was cut off and has no end
  })
  return {
    positions,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    closed: closed.promise,
    cut: () => void response.destroy(),
  }
}

async function openWebsocket(
  url: string,
  after: number,
  perMessageDeflate: boolean,
): Promise<StallingClient> {
  const address = `${url.replace("http", "ws")}/api/v1/streams/all_events/ws?after=${after}`
  const websocket = new WebSocket(address, { perMessageDeflate })
  const positions: number[] = []
  const closed = new Promise<void>((resolve) => {
    websocket.once("close", () => resolve())
  })
  websocket.on("message", (data: Buffer) => {
    // Its members are in this order; a parse of all the large ones would take most of the test's time.
    const [, position] = /^\{"kind":"event","position":(\d+)/.exec(data.toString("latin1", 0, 60)) ?? []
    if (position !== undefined) positions.push(Number(position))
  })
  await once(websocket, "open")
  if (websocket.extensions.includes("permessage-deflate") !== perMessageDeflate) {
    throw new Error("another extension")
  }
  return {
    positions,
    pause: () => websocket.pause(),
    resume: () => websocket.resume(),
    closed,
    cut: () => websocket.terminate(),
  }
}

import type { ServerResponse } from "node:http"
import type { Budget } from "./budget.ts"
import type { Entry } from "./entry.ts"
import { partsOf, slicesOf } from "./parts.ts"
import type { View } from "./view.ts"

/** One open stream. */
export interface SseClient {
  readonly outgoing: ServerResponse
  view: View
  /** Id of the API key that it was opened with. */
  readonly keyId: string
  /** Milliseconds of silence after which a heartbeat goes out. */
  readonly heartbeatMs: number
  closed: boolean
  /** Whether the fan-out serves it; otherwise it is catching up by itself. */
  live: boolean
  /** Whether the next byte may belong to a frame already begun: nothing else may be written then. */
  midFrame: boolean
  /** While catching up: everything up to here has been written or was filtered out. */
  passed: number
  /** Position that it was last told, from which it would resume. */
  told: number
  /** When something was last written; all times are milliseconds of `performance.now()`. */
  wroteAt: number
  /** When all that was written was last seen to have left for the network. */
  drainedAt: number
  /** Bytes that had left when last asked, and how often in a row that was no more than before. */
  sent: number
  stalled: number
  /** Ends the wait for the client, where there is one. */
  wake: (() => void) | undefined
}

/** Makes the record of a stream that begins behind `start`. */
export function createSseClient(
  outgoing: ServerResponse,
  view: View,
  { start, heartbeatMs, keyId }: { start: number; heartbeatMs: number; keyId: string },
): SseClient {
  const now = performance.now()
  return {
    outgoing,
    view,
    heartbeatMs,
    keyId,
    closed: false,
    live: false,
    midFrame: false,
    passed: start,
    told: start,
    wroteAt: now,
    drainedAt: now,
    sent: 0,
    stalled: 0,
    wake: undefined,
  }
}

/** Writes a part of the stream; false where `drained` should be awaited before the next. */
export function write(client: SseClient, bytes: Buffer | string, now: number): boolean {
  client.wroteAt = now
  return client.outgoing.write(bytes)
}

/** Bytes with the same bytes as a chunk of a chunked response (RFC 9112, section 7.1). */
export interface Chunk {
  bytes: Buffer
  framed: Buffer
}

/** Frames bytes once for every response that they go to. */
export function toChunk(bytes: Buffer): Chunk {
  return { bytes, framed: Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, lineEnd]) }
}

const lineEnd = Buffer.from("\r\n")

/**
 * Writes a part that many clients get. Past the response and straight to its socket where that
 * speaks HTTP/1.1: framing each write anew takes Node more time than all of ours.
 */
export function writeShared(client: SseClient, { bytes, framed }: Chunk, now: number): void {
  client.wroteAt = now
  const { outgoing } = client
  if (outgoing.chunkedEncoding && outgoing.socket !== null) outgoing.socket.write(framed)
  else outgoing.write(bytes)
}

/** Bytes written that have not left for the network. */
export function unsentBytes(client: SseClient): number {
  return client.outgoing.writableLength
}

/** Writes entries no faster than the client takes them, and than the bytes in `budget` allow. */
export async function writePaced(
  client: SseClient,
  entries: readonly Entry[],
  budget: Budget,
): Promise<void> {
  for (const { bytes, position } of partsOf(entries)) {
    const release = await budget.acquire(bytes.length)
    client.midFrame = true
    for (const slice of slicesOf(bytes)) {
      if (client.closed) break
      if (!write(client, slice, performance.now())) await drained(client)
    }
    client.midFrame = client.closed
    release()
    if (client.closed) return
    client.told = position
  }
}

/** Resolves when everything written has left, or the client is gone. */
async function drained(client: SseClient): Promise<void> {
  if (client.closed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  client.wake = resolve
  client.outgoing.once("drain", resolve)
  await promise
  client.wake = undefined
  client.outgoing.off("drain", resolve)
}

/**
 * Counts the times in a row that nothing had left since the time before although something waits. Times
 * and not milliseconds: while this process itself stands still, no client can take anything.
 */
export function timesStalled(client: SseClient): number {
  const unsent = unsentBytes(client)
  const sent = (client.outgoing.socket?.bytesWritten ?? 0) - unsent
  client.stalled = unsent === 0 || sent !== client.sent ? 0 : client.stalled + 1
  client.sent = sent
  return client.stalled
}

import type { Allowance } from "../core/allowance.ts"
import { uuidv7 } from "../core/uuid.ts"
import type { Budget } from "./budget.ts"
import type { Farewell } from "./ending.ts"
import type { Entry } from "./entry.ts"
import { partsOf, toPart, type PlacedPart } from "./parts.ts"
import type { HeldStreams } from "./stream-definitions.ts"
import type { View } from "./view.ts"
import type { Wire } from "./wire.ts"

/** What a stream is opened with. */
export interface Opening {
  /** Position that it begins behind. */
  start: number
  /** What lies up to here is past the retention of its streams. */
  floor: number
  /** Milliseconds of silence after which a heartbeat goes out. */
  heartbeatMs: number
  /** Id of the API key that let it in. */
  keyId: string
  /** Where it comes from, as the socket tells. */
  address: string
  /** Its streams, as it was given them. */
  held: HeldStreams
  /** What its client calls itself; null where it does not. */
  clientName: string | null
  /** Events that its key may have a second; null for as many as there are. */
  allowance: Allowance | null
}

/** One open stream, whatever its wire. */
export interface Client extends Readonly<Omit<Opening, "start" | "floor">> {
  readonly id: string
  readonly openedAt: Date
  readonly wire: Wire
  view: View
  closed: boolean
  /** Whether the fan-out serves it; otherwise it is catching up by itself. */
  live: boolean
  /** While catching up: everything up to here has been written or was filtered out. */
  passed: number
  /** Events and gaps that it was sent, and bytes in all. */
  entries: number
  bytes: number
  /** The last word to a client that is to be ended behind the part that is being written. */
  farewell: Farewell | null
  /** Position that it was last told, from which it would resume. */
  told: number
  /** When something was last written; all times are milliseconds of `performance.now()`. */
  wroteAt: number
  /** When all that was written was last seen to have left for the network. */
  drainedAt: number
  /** Bytes that had left when last asked, and how often in a row that was no more than before. */
  sent: number
  stalled: number
}

/** Makes the record of a stream. */
export function createClient(wire: Wire, view: View, opening: Opening): Client {
  const now = performance.now()
  const { start, heartbeatMs, keyId, address, held, clientName, allowance } = opening
  return {
    heartbeatMs,
    keyId,
    address,
    held,
    clientName,
    allowance,
    id: uuidv7(),
    openedAt: new Date(),
    wire,
    view,
    closed: false,
    live: false,
    passed: start,
    entries: 0,
    bytes: 0,
    farewell: null,
    told: start,
    wroteAt: now,
    drainedAt: now,
    sent: 0,
    stalled: 0,
  }
}

/** Writes a part that many clients may get. */
export function write(client: Client, { part, position, entries }: PlacedPart, now: number): void {
  client.wroteAt = now
  client.wire.write(part)
  client.told = position
  client.entries += entries
  client.bytes += part.bytes.length
}

/** Writes entries no faster than the client takes them, and than the bytes in `budget` allow. */
export async function writePaced(client: Client, entries: readonly Entry[], budget: Budget): Promise<void> {
  for (const { part, position, entries: count } of partsOf(entries, client.wire.encoding)) {
    const release = await budget.acquire(client.keyId, part.bytes.length)
    if (!client.closed) {
      client.wroteAt = performance.now()
      await client.wire.writePaced(part)
    }
    release()
    if (client.closed) return
    client.told = position
    client.entries += count
    client.bytes += part.bytes.length
  }
}

/** Gives a sign of life, with the position that the stream has come to where the client does not know it. */
export function beat(client: Client, position: number, now: number): void {
  const { encoding } = client.wire
  // Between two parts of what it catches up with it knows more than is said here: an older position would
  // have it resume, cut off now, from what it has had.
  const at = Math.max(position, client.told)
  const frame = encoding.beat(at, at === client.told)
  write(client, { part: toPart(frame, encoding), position: at, entries: 0 }, now)
}

/** Says something that is no event; false where something else is being written, or waits. */
export function broadcast(client: Client, json: string, now: number): boolean {
  if (!mayInterject(client)) return false
  const { encoding } = client.wire
  const part = toPart(encoding.broadcast(json), encoding)
  write(client, { part, position: client.told, entries: 0 }, now)
  return true
}

/** Whether something may be written between what is written anyway. */
export function mayInterject({ closed, wire }: Client): boolean {
  return !closed && !wire.midPart && wire.unsent() === 0
}

/**
 * Counts the times in a row that nothing had left since the time before although something waits. Times
 * and not milliseconds: while this process itself stands still, no client can take anything.
 */
export function timesStalled(client: Client): number {
  const sent = client.wire.sent()
  client.stalled = client.wire.unsent() === 0 || sent !== client.sent ? 0 : client.stalled + 1
  client.sent = sent
  return client.stalled
}

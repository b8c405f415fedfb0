import type { Farewell } from "./ending.ts"
import type { Entry, EventEntry } from "./entry.ts"

/** How a stream is put into bytes. Clients of one view and one encoding are sent the same ones. */
export interface Encoding {
  /** Tells encodings apart. */
  readonly name: string
  /** An entry of the log. */
  frame(entry: Entry): Buffer
  /** The first bytes of a stream that begins behind a position. */
  opening(position: number): Buffer
  /** A sign of life, and the position that the stream has come to; the client may know that already. */
  beat(position: number, isKnown: boolean): Buffer
  /** Something that is no event and has no place in the log: JSON, on one line. */
  broadcast(json: string): Buffer
  /** The last bytes of a stream. */
  farewell(farewell: Farewell): Buffer
  /** Puts events that come together into frames of so many at most; absent where each has its own. */
  readonly batches?: { readonly size: number; frame(events: readonly EventEntry[]): Buffer }
  /** What whole frames become on the wire; absent where they go out as they are. */
  pack?(frames: Buffer): Packed
}

/** Packed bytes, and what their receiver will check them by. */
export interface Packed {
  bytes: Buffer
  checksum: Checksum
}

/** A CRC-32 of some bytes, in a form that can be put together with that of the bytes before them. */
export interface Checksum {
  crc: number
  /** Moves another CRC past these bytes: see crc32.ts. */
  shift: number
  length: number
}

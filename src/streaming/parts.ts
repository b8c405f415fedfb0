import type { Entry } from "./entry.ts"

/** Whole frames joined for one write. */
export interface Part {
  bytes: Buffer
  /** Position of the last entry in it. */
  position: number
}

const partBytes = 256 << 10

/** Joins the frames of entries to parts of at most 256 KiB; a larger frame is a part of its own. */
export function* partsOf(entries: readonly Entry[]): Generator<Part> {
  let frames: Buffer[] = []
  let length = 0
  let position = 0
  for (const entry of entries) {
    const frame = entry.frame()
    if (length > 0 && length + frame.length > partBytes) {
      yield { bytes: join(frames), position }
      frames = []
      length = 0
    }
    frames.push(frame)
    length += frame.length
    position = entry.position
  }
  if (length > 0) yield { bytes: join(frames), position }
}

/** Cuts bytes to slices of at most 256 KiB. */
export function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes)
}

function join(buffers: readonly Buffer[]): Buffer {
  const [first] = buffers
  return buffers.length === 1 && first !== undefined ? first : Buffer.concat(buffers)
}

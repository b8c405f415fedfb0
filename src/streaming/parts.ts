import type { Checksum, Encoding } from "./encoding.ts"
import type { Entry, EventEntry } from "./entry.ts"

/** Whole frames for one write, as they go out. */
export interface Part {
  bytes: Buffer
  /** Where they are packed: what their receiver will check them by. */
  checksum?: Checksum
  /** The same bytes as a chunk of a chunked response (RFC 9112, section 7.1), made when first asked for. */
  chunk(): Buffer
}

/** A part of so many entries, and the position of the last. */
export interface PlacedPart {
  part: Part
  position: number
  entries: number
}

const partBytes = 256 << 10
const lineEnd = Buffer.from("\r\n")

/** Makes a part of whole frames. */
export function toPart(frames: Buffer, encoding: Encoding): Part {
  const { bytes, checksum } = encoding.pack?.(frames) ?? { bytes: frames }
  let chunk: Buffer | undefined
  return {
    bytes,
    ...(checksum === undefined ? {} : { checksum }),
    chunk: () => (chunk ??= Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, lineEnd])),
  }
}

/** Joins the frames of entries to parts of at most 256 KiB; a larger frame is a part of its own. */
export function* partsOf(entries: readonly Entry[], encoding: Encoding): Generator<PlacedPart> {
  let held: Frame[] = []
  let length = 0
  for (const frame of framesOf(entries, encoding)) {
    if (length > 0 && length + frame.bytes.length > partBytes) {
      yield joined(held, encoding)
      held = []
      length = 0
    }
    held.push(frame)
    length += frame.bytes.length
  }
  if (held.length > 0) yield joined(held, encoding)
}

/** What a client takes as one, of so many entries, and the position of the last. */
interface Frame {
  bytes: Buffer
  position: number
  entries: number
}

function* framesOf(entries: readonly Entry[], encoding: Encoding): Generator<Frame> {
  const { batches } = encoding
  let held: EventEntry[] = []
  let length = 0

  function* flush(): Generator<Frame> {
    const last = held.at(-1)
    if (last === undefined || batches === undefined) return
    yield { bytes: batches.frame(held), position: last.position, entries: held.length }
    held = []
    length = 0
  }

  for (const entry of entries) {
    if (batches === undefined || entry.kind === "gap") {
      yield* flush()
      yield { bytes: encoding.frame(entry), position: entry.position, entries: 1 }
      continue
    }
    const bytes = entry.json().length
    if (held.length === batches.size || length + bytes > partBytes) yield* flush()
    held.push(entry)
    length += bytes
  }
  yield* flush()
}

function joined(frames: readonly Frame[], encoding: Encoding): PlacedPart {
  const [first] = frames
  const bytes =
    frames.length === 1 && first !== undefined ? first.bytes : Buffer.concat(frames.map((one) => one.bytes))
  return {
    part: toPart(bytes, encoding),
    position: frames.at(-1)?.position ?? 0,
    entries: frames.reduce((sum, one) => sum + one.entries, 0),
  }
}

import { constants, crc32, deflateRawSync } from "node:zlib"
import { joinedCrc, shiftPast } from "./crc32.ts"
import type { Checksum, Encoding, Packed } from "./encoding.ts"

/** An encoding inside gzip (RFC 1952). */
export function gzipped(inner: Encoding): Encoding {
  return { ...inner, name: `${inner.name}+gzip`, pack }
}

/**
 * Each part is compressed for itself, once for everybody: after a full flush a deflate stream remembers
 * nothing, so that parts may follow each other in any stream.
 */
function pack(frames: Buffer): Packed {
  return {
    bytes: deflateRawSync(frames, { finishFlush: constants.Z_FULL_FLUSH, level: 4, memLevel: 7 }),
    checksum: { crc: crc32(frames), shift: shiftPast(frames.length), length: frames.length },
  }
}

/** Before the first part. */
export const gzipHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** After the last part: an empty final block, and what the receiver checks by. */
export function gzipTail({ crc, length }: Pick<Checksum, "crc" | "length">): Buffer {
  const tail = Buffer.alloc(10)
  tail.writeUInt16BE(0x03_00)
  tail.writeUInt32LE(crc, 2)
  tail.writeUInt32LE(length % 2 ** 32, 6)
  return tail
}

/** The checksum of a stream and one more part. */
export function joined(
  before: Pick<Checksum, "crc" | "length">,
  part: Checksum,
): Pick<Checksum, "crc" | "length"> {
  return { crc: joinedCrc(before.crc, part.shift, part.crc), length: before.length + part.length }
}

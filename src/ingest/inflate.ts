import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  type InflateRaw,
} from "node:zlib"
import { SignalboxError } from "../core/errors.ts"
import type { ByteBudget } from "./byte-budget.ts"

/** Content codings that are undone. */
export type Coding = "gzip" | "deflate" | "br"

export interface InflateLimits {
  /** Bytes that a body may have once it is inflated. */
  maxBytes: number
  /** Counts the inflated bytes as they come; they stay counted when the body is handed over. */
  budget: ByteBudget
}

/** JSON shrinks to a tenth or so. What would grow further than this, and past a mebibyte, is a bomb. */
const maxRatio = 100
const freeBytes = 1024 * 1024

/**
 * Undoes a content coding, off the event loop. Throws 413 before a byte past the limits is kept, 503
 * where the budget is spent, and 400 where the bytes are not of that coding, end early or go on after
 * its end; what the budget counted is given back then.
 */
export async function inflate(
  coded: Buffer,
  coding: Coding,
  { maxBytes, budget }: InflateLimits,
): Promise<Buffer> {
  const limit = Math.min(maxBytes, Math.max(freeBytes, maxRatio * coded.length))
  const decoder = decoderFor(coding, coded)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    decoder.end(coded)
    for await (const chunk of decoder) {
      if (!Buffer.isBuffer(chunk)) continue // they all are
      if (bytes + chunk.length > limit) throw tooLarge(limit, maxBytes)
      budget.take(chunk.length)
      bytes += chunk.length
      chunks.push(chunk)
    }
    if (decoder.bytesWritten !== coded.length) throw malformed(coding)
    return Buffer.concat(chunks, bytes)
  } catch (error) {
    budget.give(bytes)
    throw error instanceof SignalboxError ? error : malformed(coding, error)
  } finally {
    decoder.close()
  }
}

type Decoder = Gunzip | BrotliDecompress | Inflate | InflateRaw

function decoderFor(coding: Coding, coded: Buffer): Decoder {
  if (coding === "gzip") return createGunzip()
  if (coding === "br") return createBrotliDecompress()
  // By RFC 9110 it has zlib's header, whose low half-byte is 8; many a sender leaves that out.
  return ((coded[0] ?? 8) & 0x0f) === 8 ? createInflate() : createInflateRaw()
}

function tooLarge(limit: number, maxBytes: number): SignalboxError {
  const message =
    limit === maxBytes
      ? `the body inflates to more than ${maxBytes} bytes`
      : `the body inflates to more than ${maxRatio} times its size`
  return new SignalboxError("too_large", message)
}

function malformed(coding: Coding, cause?: unknown): SignalboxError {
  return new SignalboxError("bad_request", `the body is not what Content-Encoding ${coding} says`, { cause })
}

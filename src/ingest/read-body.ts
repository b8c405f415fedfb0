import type { IncomingMessage } from "node:http"
import { SignalboxError } from "../core/errors.ts"
import type { Arriving, ByteBudget } from "./byte-budget.ts"

export interface BodyLimits {
  /** Bytes that one body may have. */
  maxBytes: number
  /** Milliseconds for the whole body to arrive. */
  timeoutMs: number
  /**
   * Milliseconds after which a body must have come at 1 KiB/s on the whole, and of any as many that follow
   * at least a kibibyte must have come (5 s).
   */
  graceMs?: number
  /** Counts the bytes of all bodies in memory; they stay counted when the body is handed over. */
  budget: ByteBudget
}

/** A sender far slower than any network, or one that stops, holds memory on purpose. */
const leastBytesPerMs = 1024 / 1000
const leastBytes = 1024
/** Looks at how a body comes on, in each stretch of `graceMs`. */
const checks = 5

/**
 * Reads a request's body as it came. Throws 413 before a byte past the limit is kept, 503 where the
 * budget is spent or others need what a slow sender holds of it, 408 where the sender is too slow and 400 where it hangs up; the bytes of a body
 * that is not handed over are given back to the budget.
 */
export function readBody(
  incoming: IncomingMessage,
  { maxBytes, timeoutMs, graceMs = 5_000, budget }: BodyLimits,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const announced = Number(incoming.headers["content-length"] ?? 0)
    if (announced > maxBytes) {
      reject(tooLarge(maxBytes))
      return
    }
    // Gone while its sender was looked up: it tells of its end no more.
    if (incoming.destroyed) {
      reject(gone())
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    const began = performance.now()
    const checkEveryMs = graceMs / checks
    const marks = [0] // bytes that had come at the latest checks
    let timer = setTimeout(checkPace, Math.min(checkEveryMs, timeoutMs))
    const arriving: Arriving = {
      burden: () => (marks.length < 2 ? 0 : bytes / (leastBytes + bytes - (marks.at(-2) ?? 0))),
      giveUp: fail,
    }
    budget.begin(arriving)
    incoming.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone)

    function checkPace(): void {
      const elapsed = performance.now() - began
      const left = timeoutMs - elapsed
      // By number and not by time: what came while this process was busy is read between two checks.
      const since = marks.length === checks ? marks.shift() : undefined
      const isQuiet = since !== undefined && (bytes < since + leastBytes || bytes < leastBytesPerMs * elapsed)
      marks.push(bytes)
      if (left < 1 || isQuiet) fail(tooSlow())
      else timer = setTimeout(checkPace, Math.min(checkEveryMs, left))
    }
    function onData(chunk: Buffer): void {
      try {
        if (bytes + chunk.length > maxBytes) throw tooLarge(maxBytes)
        budget.take(chunk.length, arriving)
      } catch (error) {
        fail(error)
        return
      }
      bytes += chunk.length
      chunks.push(chunk)
    }
    function onEnd(): void {
      release()
      const [only] = chunks
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, bytes))
    }
    function onGone(): void {
      fail(gone())
    }
    function fail(error: unknown): void {
      release()
      budget.give(bytes)
      // The rest is read and dropped by the server, so that the sender gets to see the answer.
      reject(error)
    }
    function release(): void {
      clearTimeout(timer)
      budget.end(arriving)
      incoming.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone)
    }
  })
}

function tooLarge(maxBytes: number): SignalboxError {
  return new SignalboxError("too_large", `the body is larger than ${maxBytes} bytes`)
}

function gone(): SignalboxError {
  return new SignalboxError("bad_request", "the request ended before its body did")
}

function tooSlow(): SignalboxError {
  return new SignalboxError("bad_request", "the body did not arrive in time", { status: 408 })
}

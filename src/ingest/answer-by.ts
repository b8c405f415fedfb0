import type { Platform } from "../core/platform.ts"

/** Milliseconds by which an answer leaves before its sender gives up: for the network, and a busy process. */
const marginMs = 500
/** A body that came slowly is still tried for so long: it may be stored at once. */
const leastMs = 1_000

/**
 * When a request whose head came at `arrivedAt` is to be answered at the latest, on the clock of
 * `performance.now()`. Asked once its body is there.
 */
export function answerBy({ answerWithinMs }: Pick<Platform, "answerWithinMs">, arrivedAt: number): number {
  const least = performance.now() + Math.min(leastMs, answerWithinMs / 4)
  return Math.max(arrivedAt + answerWithinMs - marginMs, least)
}

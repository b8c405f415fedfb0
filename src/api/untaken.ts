import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { SignalboxError } from "../core/errors.ts"

const sliceBytes = 64 << 10

/** Answers that were written and that nobody has taken yet, by whose they are. */
export interface Untaken {
  /**
   * Counts an answer of so many bytes until its response is closed, and cuts it off where that takes too long.
   * Throws `too_many_requests` where its owner leaves too much untaken.
   */
  hold(owner: string, bytes: number, outgoing: ServerResponse): void
}

export interface UntakenOptions {
  /** Bytes of all owners together. */
  heldBytes: number
  /** How long an answer may take. */
  takeMs: number
}

/**
 * Makes the count. Nobody has more than stays free behind it, beyond a first answer: who takes nothing keeps the
 * half at most, the next such one the half of the rest, and there is room for others.
 */
export function createUntaken({ heldBytes, takeMs }: UntakenOptions): Untaken {
  const held = new Map<string, number>()
  let free = heldBytes

  function add(owner: string, bytes: number): void {
    free -= bytes
    const now = (held.get(owner) ?? 0) + bytes
    if (now === 0) held.delete(owner)
    else held.set(owner, now)
  }

  function hasRoom(owner: string, bytes: number): boolean {
    if (held.size === 0) return true // however large it is, it is the only one
    const before = held.get(owner) ?? 0
    return before === 0 ? bytes <= free : before + bytes <= free - bytes
  }

  return {
    hold(owner, bytes, outgoing) {
      if (!hasRoom(owner, bytes)) {
        throw new SignalboxError(
          "too_many_requests",
          "answers to this key wait to be taken: read those before you ask for more",
          { retryAfter: 1 },
        )
      }
      if (outgoing.destroyed) return
      add(owner, bytes)
      const timer = setTimeout(() => outgoing.destroy(), takeMs)
      outgoing.once("close", () => {
        clearTimeout(timer)
        add(owner, -bytes)
      })
    },
  }
}

/**
 * Writes no faster than the other end takes it; resolves to false where it is gone, or took nothing for `stallMs`
 * and was cut off.
 */
export async function writePaced(
  outgoing: ServerResponse,
  bytes: Buffer,
  { gone, stallMs }: { gone: AbortSignal; stallMs: number },
): Promise<boolean> {
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    if (gone.aborted) return false
    if (outgoing.write(bytes.subarray(at, at + sliceBytes))) continue
    const timer = setTimeout(() => outgoing.destroy(), stallMs)
    await once(outgoing, "drain", { signal: gone }).catch(() => {})
    clearTimeout(timer)
  }
  return !gone.aborted
}

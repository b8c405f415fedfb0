import type { Writable } from "node:stream"

const sliceBytes = 256 << 10

/** Writes large parts no faster than somebody takes them. */
export interface PacedWriter {
  /** Whether it is in the midst of a part, so that nothing else may be written now. */
  readonly midPart: boolean
  /** Whether the other end is gone. */
  readonly gone: boolean
  /** Resolves when the last byte is written, or the other end is gone. */
  write(bytes: Buffer): Promise<void>
  /** Says that the other end is gone. */
  abandon(): void
}

/** Makes a writer of parts, slice by slice, one part at a time. */
export function createPacedWriter(target: Writable): PacedWriter {
  let midPart = false
  let gone = false
  let wake: (() => void) | undefined

  async function drained(): Promise<void> {
    if (gone) return
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    target.once("drain", resolve)
    await promise
    wake = undefined
    target.off("drain", resolve)
  }

  return {
    get midPart() {
      return midPart
    },
    get gone() {
      return gone
    },
    write: async (bytes) => {
      midPart = true
      for (let at = 0; at < bytes.length; at += sliceBytes) {
        if (gone) break
        if (!target.write(bytes.subarray(at, at + sliceBytes))) await drained()
      }
      midPart = gone
    },
    abandon: () => {
      gone = true
      wake?.()
    },
  }
}

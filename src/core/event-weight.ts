import type { LoggedEvent } from "./envelope.ts"

// The fields, the strings and the objects around a body: with small bodies, nearly all there is.
const overhead = 2048

/** Memory that an event takes while it is kept, roughly, in bytes: its body, what is made of that, and itself. */
export function eventWeight({ raw }: Pick<LoggedEvent, "raw">): number {
  return 2 * raw.length + overhead
}

/** Memory that a hole in the log takes while it is kept, roughly, in bytes. */
export const holeWeight = 256

const newline = 10

/** What a stream ended in so far, by which the next of its bytes are understood. */
export interface FrameEnd {
  /** Its last byte was the first newline of a blank line that may come. */
  endedInNewline: boolean
}

/** How many frames of a stream of events end in these bytes of it. */
export function framesEnded(stream: FrameEnd, bytes: Buffer): number {
  let frames = stream.endedInNewline && bytes[0] === newline ? 1 : 0
  for (let at = bytes.indexOf("\n\n"); at !== -1; at = bytes.indexOf("\n\n", at + 2)) frames++
  stream.endedInNewline = bytes.at(-1) === newline && bytes.at(-2) !== newline
  return frames
}

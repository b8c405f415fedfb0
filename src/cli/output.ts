/** Thrown at what is printed after the reader has gone: `head` has had enough, or a pager was left. */
export class ReaderGone extends Error {}

/** Where the lines of a command go. */
export interface Output {
  /** Prints a line. Throws `ReaderGone` where nobody would read it, unless the command outlives its reader. */
  out(line: string, outlivesReader?: boolean): void
}

/**
 * Watches a stream from now on: that its reader has gone comes as an event, some time after the line that did not
 * get there, and without a listener it would end the process with a stack.
 */
export function watchOutput(stream: NodeJS.WritableStream): Output {
  let isRead = true
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
    isRead = false
  })
  return {
    out(line, outlivesReader = false) {
      if (isRead) stream.write(`${line}\n`)
      else if (!outlivesReader) throw new ReaderGone("nobody reads on")
    },
  }
}

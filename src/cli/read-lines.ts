/** A line without its end, or null where it is longer than the limit and was passed over. */
export interface NumberedLine {
  /** From 1. */
  number: number
  bytes: Buffer | null
}

const newline = 0x0a

/** The lines of a stream of bytes, one at a time; no more than `maxBytes` of a line are ever held. */
export async function* readLines(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<NumberedLine, void> {
  let number = 1
  let parts: Buffer[] = []
  let length = 0
  const take = (part: Buffer): void => {
    length += part.length
    if (length <= maxBytes) parts.push(part)
    else parts = []
  }
  const finish = (): NumberedLine => {
    const line = { number, bytes: length > maxBytes ? null : Buffer.concat(parts) }
    number++
    parts = []
    length = 0
    return line
  }
  for await (const chunk of stream) {
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, at))
      yield finish()
      from = at + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (length > 0) yield finish()
}

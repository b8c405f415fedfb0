const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openers = new Set([0x5b, 0x7b])
const closers = new Set([0x5d, 0x7d])

/**
 * The elements of a JSON array, each in the bytes it was written in, without the blanks around it. The
 * bytes must be those of an array that has been parsed; the elements share their memory.
 */
export function jsonElements(json: Buffer): Buffer[] {
  const elements: Buffer[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
    if (byte === quote) at = endOfString(json, at)
    else if (openers.has(byte)) {
      if (depth++ === 0) start = at + 1
    } else if (closers.has(byte)) {
      if (--depth === 0) push(start, at)
    } else if (byte === comma && depth === 1) {
      push(start, at)
      start = at + 1
    }
  }
  return elements

  function push(from: number, to: number): void {
    let first = from
    let end = to
    while (first < end && isBlank(json[first])) first++
    while (end > first && isBlank(json[end - 1])) end--
    if (first < end) elements.push(json.subarray(first, end)) // an empty array holds none
  }
}

/** Index of the closing quote. UTF-8 never hides a quote in a letter. */
function endOfString(json: Buffer, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1
  return at
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

/** Of how many frames the end is among the first `length` bytes of `readBuffer`, the next of a stream. */
export type FrameCounter = (length: number) => number

interface Transport {
  /** The request that opens a stream. */
  request: (path: string) => string
  /** Counts the frames of one stream, from the first byte of the answer on. */
  counter: () => FrameCounter
  /** Finds the positions of events in the text of frames. */
  position: RegExp
}

export type TransportName = "sse" | "websocket"

const room = 256 << 10
const blankLine = Buffer.from("\n\n")
const newline = 10

const whole = Buffer.alloc(room + blankLine.length)
/** What sockets read into, all the same: nothing of it is kept, and nothing is allocated for a read. */
export const readBuffer = whole.subarray(0, room)

/** The two ways of an event to a client, as a bare socket sees them. */
export const transports: Readonly<Record<TransportName, Transport>> = {
  sse: {
    request: (path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
    counter: blankLines,
    position: /^id: (\d+)$/gm,
  },
  websocket: {
    request: (path) =>
      [
        `GET ${path} HTTP/1.1`,
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "\r\n",
      ].join("\r\n"),
    counter: messages,
    position: /\{"kind":"event","position":(\d+)/g,
  },
}

/** Server-Sent Events end in a blank line. */
function blankLines(): FrameCounter {
  let endedInNewline = false
  return (length) => {
    let frames = endedInNewline && whole[0] === newline ? 1 : 0
    endedInNewline = whole[length - 1] === newline && whole[length - 2] !== newline
    blankLine.copy(whole, length) // whatever is left of an earlier read is not searched
    for (let at = whole.indexOf(blankLine); at < length - 1; at = whole.indexOf(blankLine, at + 2)) frames++
    return frames
  }
}

/** A message of a WebSocket (RFC 6455, section 5.2) tells its length; the first follow the head of the answer. */
function messages(): FrameCounter {
  let answer: Buffer | undefined = Buffer.alloc(0)
  let head = Buffer.alloc(0) // of a frame, cut off by the end of a read
  let left = 0 // bytes of a payload that are still to come
  return (length) => {
    let at = 0
    if (answer !== undefined) {
      const before = answer.length
      answer = Buffer.concat([answer, readBuffer.subarray(0, length)])
      const end = answer.indexOf("\r\n\r\n")
      if (end === -1) return 0
      at = end + 4 - before
      answer = undefined
    }
    let frames = 0
    while (at < length) {
      if (left > 0) {
        const taken = Math.min(left, length - at)
        at += taken
        left -= taken
      } else {
        const bytes = Buffer.concat([head, readBuffer.subarray(at, Math.min(at + 10, length))])
        const size = headBytes(bytes)
        if (bytes.length < size) {
          head = bytes
          return frames
        }
        at += size - head.length
        head = Buffer.alloc(0)
        left = payloadBytes(bytes, size)
      }
      if (left === 0) frames++
    }
    return frames
  }
}

/** Bytes of the head of a frame that is not masked; more than are given where these do not tell. */
function headBytes(bytes: Buffer): number {
  const [, length = 0] = bytes
  return length < 126 ? 2 : length === 126 ? 4 : 10
}

function payloadBytes(bytes: Buffer, size: number): number {
  if (size === 2) return bytes[1] ?? 0
  return size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
}

import { constants, deflateRawSync } from "node:zlib"
import type { Encoding } from "./encoding.ts"
import type { Entry } from "./entry.ts"
import { jsonArray } from "./json-array.ts"

const text = 0x81 // FIN, opcode 1
const compressed = 0x40 // RSV1
const smallestDeflated = 512

/** Messages of a WebSocket (RFC 6455), each a JSON object in one frame. */
const plain: Encoding = encodingOf("websocket", plainFrame)
/** The same with permessage-deflate (RFC 7692). */
const deflated: Encoding = encodingOf("websocket+deflate", deflatedFrame)

/** The encoding of a WebSocket: with permessage-deflate or not, and with up to `batch` events in a message. */
export function websocketEncoding(isDeflated: boolean, batch: number | null): Encoding {
  const encoding = isDeflated ? deflated : plain
  return batch === null ? encoding : inBatches(encoding, isDeflated ? deflatedFrame : plainFrame, batch)
}

function plainFrame(message: Buffer): Buffer {
  return frameOf(text, message)
}

/** Without context takeover each message is compressed for itself, and so once for everybody. */
function deflatedFrame(message: Buffer): Buffer {
  if (message.length < smallestDeflated) return plainFrame(message)
  const flushed = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH, level: 4, memLevel: 7 })
  return frameOf(text | compressed, flushed.subarray(0, -4)) // the empty block at its end goes without saying
}

function inBatches(encoding: Encoding, frame: (message: Buffer) => Buffer, size: number): Encoding {
  return {
    ...encoding,
    name: `${encoding.name}+batch${size}`,
    batches: {
      size,
      frame: (events) =>
        frame(
          Buffer.concat([
            Buffer.from(`{"kind":"batch","position":${events.at(-1)?.position},"events":`),
            jsonArray(events),
            Buffer.from("}"),
          ]),
        ),
    },
  }
}

function encodingOf(name: string, frame: (message: Buffer) => Buffer): Encoding {
  const frames = new WeakMap<Entry, Buffer>()
  const told = (message: object): Buffer => frame(Buffer.from(JSON.stringify(message)))
  return {
    name,
    frame: (entry) => {
      let framed = frames.get(entry)
      if (framed === undefined) frames.set(entry, (framed = frame(messageOf(entry))))
      return framed
    },
    opening: (position) => told({ kind: "open", position }),
    beat: (position) => told({ kind: "position", position }), // a ping would be hidden from a browser's page
    broadcast: (json) => frame(Buffer.from(`{"kind":"broadcast","data":${json}}`)),
    farewell: (farewell) => told({ kind: "end", ...farewell }),
  }
}

function messageOf(entry: Entry): Buffer {
  const { kind, position } = entry
  if (kind === "gap") return Buffer.from(JSON.stringify({ kind, position, from: entry.from, to: position }))
  return Buffer.concat([
    Buffer.from(`{"kind":"event","position":${position},"event":`),
    entry.json(),
    Buffer.from("}"),
  ])
}

/** A frame from server to client, which is not masked. */
export function frameOf(firstByte: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = firstByte
  if (length < 126) {
    head[1] = length
  } else if (length < 65_536) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, payload])
}

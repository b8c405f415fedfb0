import type { ServerResponse } from "node:http"
import type { Encoding } from "./encoding.ts"
import { gzipHead, gzipTail, joined } from "./gzip-encoding.ts"
import { createPacedWriter } from "./paced-writer.ts"
import { toPart, type Part } from "./parts.ts"
import { responseEnds } from "./response-ends.ts"
import type { Wire } from "./wire.ts"

/** Makes the wire of a response whose head has been written. */
export function createSseWire(outgoing: ServerResponse, encoding: Encoding): Wire {
  const paced = createPacedWriter(outgoing)
  let sum = { crc: 0, length: 0 }
  const { sent, end, cut, onGone } = responseEnds(outgoing, paced)
  if (encoding.pack !== undefined) outgoing.write(gzipHead)
  else outgoing.flushHeaders() // before anything may go past the response
  // Past the response and straight to its socket where that speaks HTTP/1.1: framing each write anew takes
  // Node more time than all of ours, and so does asking the response how much waits.
  const direct = outgoing.chunkedEncoding ? outgoing.socket : null

  function count({ checksum }: Part): void {
    if (checksum !== undefined) sum = joined(sum, checksum)
  }

  return {
    encoding,
    get midPart() {
      return paced.midPart
    },
    unsent: () => (direct ?? outgoing).writableLength,
    sent,
    write: (part) => {
      count(part)
      if (direct !== null) direct.write(part.chunk())
      else outgoing.write(part.bytes)
    },
    writePaced: (part) => {
      count(part)
      return paced.write(part.bytes)
    },
    end: (farewell) =>
      end(() => {
        const last = toPart(encoding.farewell(farewell), encoding)
        count(last)
        const tail = encoding.pack === undefined ? [] : [gzipTail(sum)]
        outgoing.end(Buffer.concat([last.bytes, ...tail]))
      }),
    cut,
    onGone,
  }
}

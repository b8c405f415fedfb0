import type { ServerResponse } from "node:http"
import { constants, createBrotliCompress } from "node:zlib"
import type { Encoding } from "./encoding.ts"
import { createPacedWriter } from "./paced-writer.ts"
import { responseEnds } from "./response-ends.ts"
import type { Wire } from "./wire.ts"

// A small window: of many streams, each keeps its own. A client that takes gzip as well gets that, made once
// for all.
const params = {
  [constants.BROTLI_PARAM_QUALITY]: 4,
  [constants.BROTLI_PARAM_LGWIN]: 16,
  [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
}

/** Makes the wire of a response whose head has been written, inside Brotli (RFC 7932). */
export function createBrotliWire(outgoing: ServerResponse, encoding: Encoding): Wire {
  const brotli = createBrotliCompress({ params, flush: constants.BROTLI_OPERATION_FLUSH })
  const paced = createPacedWriter(brotli)
  const { sent, end, cut, onGone } = responseEnds(outgoing, paced)
  outgoing.flushHeaders()
  brotli.pipe(outgoing)
  brotli.on("error", () => outgoing.destroy())
  outgoing.on("close", () => brotli.destroy())

  return {
    encoding,
    get midPart() {
      return paced.midPart
    },
    unsent: () => brotli.writableLength + brotli.readableLength + outgoing.writableLength,
    sent,
    write: ({ bytes }) => void brotli.write(bytes),
    writePaced: ({ bytes }) => paced.write(bytes),
    end: (farewell) => end(() => void brotli.end(encoding.farewell(farewell))),
    cut,
    onGone,
  }
}

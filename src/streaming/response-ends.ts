import type { ServerResponse } from "node:http"
import { bytesLeft } from "./bytes-left.ts"
import type { PacedWriter } from "./paced-writer.ts"
import type { Wire } from "./wire.ts"

/** How every stream over a response begins and ends, whatever lies between its wire and the response. */
interface ResponseEnds extends Pick<Wire, "cut" | "onGone"> {
  /** Bytes that have left for the network. */
  sent(): number
  /** Has the last bytes written by `finish`, and the connection closed behind them; in the midst of a part it is cut. */
  end(finish: () => void): void
}

/** Takes charge of both ends of a response whose head has been written. */
export function responseEnds(outgoing: ServerResponse, paced: PacedWriter): ResponseEnds {
  outgoing.on("error", () => {}) // told by "close" as well
  outgoing.on("close", () => paced.abandon())
  outgoing.socket?.setNoDelay(true)
  return {
    sent: () => (outgoing.socket === null ? 0 : bytesLeft(outgoing.socket)),
    end: (finish) => {
      // Half a frame must not look like a whole one: cut off, the client throws it away.
      if (paced.midPart) {
        outgoing.destroy()
        return
      }
      const { socket } = outgoing
      outgoing.once("finish", () => socket?.destroySoon())
      finish()
    },
    // The request knows the socket even where the response has none yet: behind another one on the same
    // connection.
    cut: () => void outgoing.req.socket.destroy(),
    onGone: (listener) => void outgoing.once("close", listener),
  }
}

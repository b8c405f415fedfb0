import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import { bytesLeft } from "./bytes-left.ts"
import { createPacedWriter } from "./paced-writer.ts"
import { frameOf, websocketEncoding } from "./websocket-encoding.ts"
import type { Wire } from "./wire.ts"

const pong = 0x8a
/** Beyond so many bytes that wait for the client a ping of its is not answered: it does not take the answers. */
const mostUnsent = 16 << 10
/** RFC 6455, section 7.4: the service goes away, and is back soon. */
const serviceRestart = 1012

/**
 * Makes the wire of an open WebSocket. Its frames are made once for all clients and go straight to the
 * socket; `ws` reads what the client sends, and closes.
 */
export function createWebsocketWire(websocket: WebSocket, socket: Socket, batch: number | null): Wire {
  const encoding = websocketEncoding(websocket.extensions.includes("permessage-deflate"), batch)
  const paced = createPacedWriter(socket)
  websocket.on("error", () => {}) // told by "close" as well
  websocket.on("close", () => paced.abandon())
  websocket.on("ping", (data: Buffer) => {
    if (paced.midPart || paced.gone || socket.writableLength > mostUnsent) return
    socket.write(frameOf(pong, data))
  })

  return {
    encoding,
    get midPart() {
      return paced.midPart
    },
    unsent: () => socket.writableLength,
    sent: () => bytesLeft(socket),
    write: ({ bytes }) => {
      if (!paced.gone) socket.write(bytes)
    },
    writePaced: ({ bytes }) => paced.write(bytes),
    end: (farewell) => {
      if (paced.midPart || paced.gone) {
        websocket.terminate() // nothing may be written within a frame
        return
      }
      socket.write(encoding.farewell(farewell))
      websocket.close(serviceRestart)
    },
    cut: () => websocket.terminate(),
    onGone: (listener) => void websocket.once("close", listener),
  }
}

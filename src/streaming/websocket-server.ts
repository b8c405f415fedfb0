import type { HttpBindings } from "@hono/node-server"
import { WebSocketServer } from "ws"
import { SignalboxError } from "../core/errors.ts"
import { takeUpgrade } from "../core/upgrade.ts"
import { createWebsocketWire } from "./websocket-wire.ts"
import type { Wire } from "./wire.ts"

/** Goes on with a request as a WebSocket. Throws 426 where it does not ask for one. */
export type AcceptWebsocket = (
  request: HttpBindings,
  batch: number | null,
  onOpen: (wire: Wire) => void,
) => void

/** Makes the server's side of the handshake. A client has nothing to say but that it is there, or goes. */
export function createWebsocketServer(): AcceptWebsocket {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    autoPong: false, // might fall into the midst of a frame of ours
    maxPayload: 4 << 10,
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
  })
  return ({ incoming, outgoing }, batch, onOpen) => {
    const upgrade = takeUpgrade(incoming)
    if (upgrade === undefined) {
      throw new SignalboxError("bad_request", "this address speaks WebSocket: ask for an upgrade to it", {
        status: 426,
      })
    }
    const { socket, head } = upgrade
    outgoing.detachSocket(socket)
    server.handleUpgrade(incoming, socket, head, (websocket) =>
      onOpen(createWebsocketWire(websocket, socket, batch)),
    )
  }
}

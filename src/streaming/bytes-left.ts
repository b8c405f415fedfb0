import type { Socket } from "node:net"

/**
 * Bytes that have left a socket for the network. Node itself counts a write only once it has left as a whole,
 * which takes a slow client minutes for a large one; its handle knows what of it still waits, and Node's own
 * timeouts of sockets go by that as well.
 */
export function bytesLeft(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle")
  if (typeof handle === "object" && handle !== null) {
    const given: unknown = Reflect.get(handle, "bytesWritten")
    const waiting: unknown = Reflect.get(handle, "writeQueueSize")
    if (typeof given === "number" && typeof waiting === "number") return given - waiting
  }
  return socket.bytesWritten - socket.writableLength
}

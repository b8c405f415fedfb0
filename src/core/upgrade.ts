import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"

/** The connection of a request that asks to go on as a WebSocket. */
export interface Upgrade {
  socket: Socket
  /** What came behind the head of the request already. */
  head: Buffer
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>()

/** Keeps the connection for whoever serves the request. */
export function offerUpgrade(request: IncomingMessage, upgrade: Upgrade): void {
  upgrades.set(request, upgrade)
}

/** Whether a request asks for an upgrade that nobody has taken yet. */
export function asksForUpgrade(request: IncomingMessage): boolean {
  return upgrades.has(request)
}

/** The connection, once: whoever takes it answers on it. Undefined where the request asks for no upgrade. */
export function takeUpgrade(request: IncomingMessage): Upgrade | undefined {
  const upgrade = upgrades.get(request)
  upgrades.delete(request)
  return upgrade
}

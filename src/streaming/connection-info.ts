import type { Client } from "./client.ts"

/** An open stream as its operators see it. */
export interface ConnectionInfo {
  id: string
  tenant: string
  /** Name of the stream, or the topics that are read as one. */
  stream: string
  /** `sse`, `sse+gzip`, `websocket`, … */
  transport: string
  client: string | null
  keyId: string
  address: string
  openedAt: string
  /** Position that it would resume from now. */
  position: number
  /** Whether it is being sent history still. */
  catchingUp: boolean
  /** Events and gaps that it was sent. */
  events: number
  unsentBytes: number
}

/** What is to be told of a client. */
export function infoOf(client: Client): ConnectionInfo {
  const { id, view, held, wire, clientName, keyId, address, openedAt, told, live, entries } = client
  return {
    id,
    tenant: view.tenant,
    stream: held.topics.join(","),
    transport: wire.encoding.name,
    client: clientName,
    keyId,
    address,
    openedAt: openedAt.toISOString(),
    position: told,
    catchingUp: !live,
    events: entries,
    unsentBytes: wire.unsent(),
  }
}

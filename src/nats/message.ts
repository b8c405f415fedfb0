import { unescape } from "node:querystring"
import { headers, type MsgHdrs } from "@nats-io/transport-node"
import type { LoggedEvent } from "../core/envelope.ts"
import { renderStreamed } from "../core/render.ts"
import type { Hole } from "../store/log-pages.ts"
import { eventSubject, noticeSubject, subjectToken } from "./subject.ts"

/** A message of the stream, before it is sent. */
export interface LogMessage {
  subject: string
  headers: MsgHdrs
  body: string
  /** By which JetStream knows a repeat. */
  id: string
  /** Last position that it tells of. */
  position: number
}

/** What a message is besides an ordinary event. */
export type Notice =
  /** Positions that retention dropped before they were published: `{"from", "to"}`. */
  | "gap"
  /** The log was set back (a restore): positions after this one are given out anew. `{"after"}`. */
  | "reset"
  /** An event larger than the server takes: what tells where it is, and no payload. */
  | "pointer"

const positionHeader = "Signalbox-Position"
const eventHeader = "Signalbox-Event"
const noticeHeader = "Signalbox-Notice"
const orderKeyHeader = "Signalbox-Order-Key"

/** What the headers of a message say. */
export interface MessagePlace {
  position: number
  /** Of the event; null for what is none. */
  eventId: string | null
  notice: Notice | null
  /** Of an event that has one beside its entity: see LoggedEvent. */
  orderKey?: string | undefined
}

/** Room for headers beside a body, which count as well. */
const headerBytes = 4096

/** The message for an item of the log; `maxPayload` is what the server takes, in bytes. */
export function toMessage(item: LoggedEvent | Hole, prefix: string, maxPayload: number): LogMessage {
  return "id" in item ? ofEvent(item, prefix, maxPayload) : ofGap(item, prefix)
}

/** The message that says that the log was set back to a position. */
export function resetMessage(prefix: string, position: number, sequence: number): LogMessage {
  return {
    subject: noticeSubject(prefix, "reset"),
    headers: headersOf({ position, eventId: null, notice: "reset" }),
    body: JSON.stringify({ after: position }),
    id: `reset/${position}/${sequence}`,
    position,
  }
}

function ofEvent(event: LoggedEvent, prefix: string, maxPayload: number): LogMessage {
  const { id: eventId, position, tenant, type, orderKey } = event
  const body = renderStreamed(event)
  const fits =
    body.length < (maxPayload - headerBytes) / 3 || Buffer.byteLength(body) <= maxPayload - headerBytes
  return {
    subject: eventSubject(prefix, { tenant, type }),
    headers: headersOf({ position, eventId, notice: fits ? null : "pointer", orderKey }),
    body: fits ? body : pointerTo(event),
    // The event's own id is part of it because a log that was set back gives its positions out anew.
    id: `${subjectToken(tenant)}/${position}/${eventId}`,
    position,
  }
}

// Only what is short whatever the event: a title or references might be too long as well.
function pointerTo({ id, position, tenant, platform, source, type, receivedAt }: LoggedEvent): string {
  return JSON.stringify({
    id,
    position,
    tenant,
    platform,
    source,
    type,
    receivedAt: receivedAt.toISOString(),
  })
}

function ofGap({ from, to }: Hole, prefix: string): LogMessage {
  return {
    subject: noticeSubject(prefix, "gap"),
    headers: headersOf({ position: to, eventId: null, notice: "gap" }),
    body: JSON.stringify({ from, to }),
    id: `gap/${from}/${to}`,
    position: to,
  }
}

function headersOf({ position, eventId, notice, orderKey }: MessagePlace): MsgHdrs {
  const made = headers()
  made.set(positionHeader, String(position))
  if (eventId !== null) made.set(eventHeader, eventId)
  if (notice !== null) made.set(noticeHeader, notice)
  if (orderKey !== undefined) made.set(orderKeyHeader, encodeURIComponent(orderKey))
  return made
}

/** Reads the headers of a message; null for one that the publisher did not write. */
export function placeIn(found: MsgHdrs | undefined): MessagePlace | null {
  const position = Number(found?.get(positionHeader) || Number.NaN)
  if (!Number.isSafeInteger(position) || position < 0) return null
  const eventId = found?.get(eventHeader) || null
  const notice = found?.get(noticeHeader) || null
  if (notice !== null && notice !== "gap" && notice !== "reset" && notice !== "pointer") return null
  if (eventId === null && (notice === null || notice === "pointer")) return null
  const orderKey = found?.get(orderKeyHeader)
  return { position, eventId, notice, ...(orderKey ? { orderKey: unescape(orderKey) } : {}) }
}

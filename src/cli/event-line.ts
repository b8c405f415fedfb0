import type { EventHead } from "../core/render.ts"
import { oneLine } from "./one-line.ts"

/** An event's JSON as one line for people: position, time, type, what it is about, title. */
export function eventLine(data: string): string {
  const event: Partial<EventHead> & { from?: number; to?: number } = JSON.parse(data)
  if (event.type === undefined) return data
  const time = (event.occurredAt ?? event.receivedAt ?? "").slice(11, 19)
  const position = String(event.position ?? "").padStart(6)
  return `${position}  ${time}  ${event.type.padEnd(38)} ${event.entity ?? ""}  ${oneLine(event.title ?? "")}`.trimEnd()
}

import type { EventEntry } from "./entry.ts"

const comma = Buffer.from(",")

/** The JSON of events as that of an array. */
export function jsonArray(events: readonly EventEntry[]): Buffer {
  const parts = events.flatMap((event, index) => (index === 0 ? [event.json()] : [comma, event.json()]))
  return Buffer.concat([Buffer.from("["), ...parts, Buffer.from("]")])
}

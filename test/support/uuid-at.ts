import { randomUUID } from "node:crypto"

/** A UUIDv7 of that time, as an event has that was received then. */
export function uuidAt(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`
}

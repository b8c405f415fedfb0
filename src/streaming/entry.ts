import type { LoggedEvent } from "../core/envelope.ts"
import { renderEvent } from "../core/render.ts"
import type { Hole } from "../store/log-pages.ts"

/** A place in the log as clients are told of it: an event, or positions that retention has dropped. */
export type Entry = EventEntry | GapEntry

export interface EventEntry {
  kind: "event"
  position: number
  event: LoggedEvent
  /** Memory that it takes, roughly. */
  bytes: number
  /** The event as a Server-Sent Event; rendered when first asked for, then the same bytes for everybody. */
  frame(): Buffer
}

export interface GapEntry {
  kind: "gap"
  from: number
  /** The last of the missing positions. */
  position: number
  bytes: number
  frame(): Buffer
}

const overhead = 2048

/** Wraps what the store has read. */
export function toEntry(item: LoggedEvent | Hole): Entry {
  return "id" in item ? createEventEntry(item) : createGapEntry(item)
}

function createEventEntry(event: LoggedEvent): EventEntry {
  let frame: Buffer | undefined
  return {
    kind: "event",
    position: event.position,
    event,
    bytes: 2 * event.raw.length + overhead,
    frame: () => (frame ??= frameOf(event.position, event.type, render(event))),
  }
}

function createGapEntry({ from, to }: Hole): GapEntry {
  return {
    kind: "gap",
    from,
    position: to,
    bytes: overhead,
    frame: () => frameOf(to, "gap", JSON.stringify({ from, to })),
  }
}

function frameOf(position: number, name: string, data: string): Buffer {
  return Buffer.from(`id: ${position}\nevent: ${name.replace(/[\r\n]+/g, " ")}\ndata: ${data}\n\n`)
}

// A body that is not UTF-8 is refused at the door; should one be in the log all the same, it must
// not hold up everything that follows it.
function render(event: LoggedEvent): string {
  try {
    return renderEvent(event)
  } catch {
    return renderEvent({ ...event, contentType: "application/json", raw: Buffer.from("null") })
  }
}

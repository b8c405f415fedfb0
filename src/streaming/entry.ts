import type { LoggedEvent } from "../core/envelope.ts"
import { renderStreamed } from "../core/render.ts"
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
  /** Its JSON alone, which is a part of that. */
  json(): Buffer
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

/** The entries that lie past a position, of a gap around it what does. */
export function entriesPast(entries: readonly Entry[], position: number): Entry[] {
  return entries.flatMap((entry) => {
    if (entry.position <= position) return []
    if (entry.kind === "event" || entry.from > position) return [entry]
    return [toEntry({ from: position + 1, to: entry.position })]
  })
}

function createEventEntry(event: LoggedEvent): EventEntry {
  const head = headOf(event.type)
  const end = endOf(event.position)
  let frame: Buffer | undefined
  const framed = (): Buffer => (frame ??= Buffer.from(`${head}${renderStreamed(event)}${end}`))
  return {
    kind: "event",
    position: event.position,
    event,
    bytes: 2 * event.raw.length + overhead,
    frame: framed,
    json: () => framed().subarray(Buffer.byteLength(head), -end.length),
  }
}

/**
 * Wraps an event that came as its JSON, which goes out as it is. The bytes are copied once, since they may be
 * a part of something larger; `eventOf` gets the copy.
 */
export function createRenderedEntry(
  json: Uint8Array,
  { type, position }: Pick<LoggedEvent, "type" | "position">,
  eventOf: (json: Buffer) => LoggedEvent,
): EventEntry {
  const head = Buffer.from(headOf(type))
  const end = Buffer.from(endOf(position))
  const frame = Buffer.concat([head, json, end])
  const copy = frame.subarray(head.length, -end.length)
  return {
    kind: "event",
    position,
    event: eventOf(copy),
    bytes: frame.length + overhead,
    frame: () => frame,
    json: () => copy,
  }
}

function createGapEntry({ from, to }: Hole): GapEntry {
  return {
    kind: "gap",
    from,
    position: to,
    bytes: overhead,
    frame: () => Buffer.from(`${headOf("gap")}${JSON.stringify({ from, to })}${endOf(to)}`),
  }
}

function headOf(name: string): string {
  return `event: ${name.replace(/[\r\n]+/g, " ")}\ndata: `
}

// The id last: some clients believe it as soon as they have read it, and would skip an event whose data were
// cut off behind it.
function endOf(position: number): string {
  return `\nid: ${position}\n\n`
}

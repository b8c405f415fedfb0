import { z } from "zod"
import { platformNames, priorities, type LoggedEvent } from "../core/envelope.ts"
import type { TailItem } from "../core/log-tail.ts"
import { createRenderedEntry, toEntry, type Entry } from "./entry.ts"

const evidence = z.looseObject({
  field: z.string(),
  text: z.string(),
  start: z.number().exactOptional(),
  end: z.number().exactOptional(),
})

/** The public JSON of an event but for its payload, see `eventHead`. */
const eventHead = z.object({
  id: z.string(),
  position: z.int(),
  tenant: z.string(),
  platform: z.enum(platformNames),
  source: z.string(),
  type: z.string(),
  name: z.string(),
  deliveryId: z.string(),
  actor: z.object({ id: z.string(), name: z.string(), bot: z.boolean() }).nullable(),
  entity: z.string().nullable(),
  references: z.array(
    z.object({
      entity: z.string(),
      relation: z.string(),
      evidence,
      subject: z.string().exactOptional(),
      document: z.string().exactOptional(),
    }),
  ),
  title: z.string().nullable(),
  url: z.string().nullable(),
  priority: z.enum(priorities),
  occurredAt: z.iso.datetime().nullable(),
  receivedAt: z.iso.datetime(),
  correlationId: z.string(),
  causationId: z.string().nullable(),
  backfilled: z.boolean(),
})

/** The payload stands last; no text before it can hold this, whose quotes would be escaped there. */
const payloadMark = Buffer.from(',"payload":')

/**
 * Wraps what a tail told; null for what is not to be had from it: it is elsewhere, or it is no event as this
 * version knows them.
 */
export function toTailEntry(item: TailItem): Entry | null {
  if (item.kind === "elsewhere") return null
  if (item.kind === "gap") {
    return item.from >= 1 && item.from <= item.position
      ? toEntry({ from: item.from, to: item.position })
      : null
  }
  const { json, position, orderKey } = item
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength)
  const mark = text.indexOf(payloadMark)
  if (mark === -1 || text.includes(10) || text.includes(13)) return null
  const head = readHead(`${text.toString("utf8", 0, mark)}}`)
  if (head === null || head.position !== position) return null
  return createRenderedEntry(text, head, (copy) => ({
    ...head,
    ...(orderKey === undefined ? {} : { orderKey }),
    raw: copy.subarray(mark + payloadMark.length, -1),
  }))
}

function readHead(json: string): Omit<LoggedEvent, "raw"> | null {
  try {
    const { occurredAt, receivedAt, ...head } = eventHead.parse(JSON.parse(json))
    return {
      ...head,
      occurredAt: occurredAt === null ? null : new Date(occurredAt),
      receivedAt: new Date(receivedAt),
      headers: {},
      contentType: "application/json",
      masked: true,
    }
  } catch {
    return null
  }
}

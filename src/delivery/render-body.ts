import type { LoggedEvent } from "../core/envelope.ts"
import { maskedText } from "../core/mask.ts"
import { eventHead, renderEventBytes } from "../core/render.ts"
import type { PayloadShape, WebhookFormat } from "../core/subscription.ts"

/** Names of what an event shows in public, for `pick`. */
export const eventFields: readonly string[] = [
  "id",
  "position",
  "tenant",
  "platform",
  "source",
  "type",
  "name",
  "deliveryId",
  "actor",
  "entity",
  "references",
  "title",
  "url",
  "priority",
  "occurredAt",
  "receivedAt",
  "correlationId",
  "causationId",
  "backfilled",
  "payload",
]

/** How the bodies of a subscription are written. */
export interface BodyShape {
  format: WebhookFormat
  payload: PayloadShape
}

/** Media type of each format's bodies. */
export const contentTypes: Readonly<Record<WebhookFormat, string>> = {
  standard: "application/json",
  cloudevents: "application/cloudevents+json",
}

/** Writes bodies; what several subscriptions want of an event is written once. */
export type RenderBody = (event: LoggedEvent, shape: BodyShape, isReplay: boolean) => Buffer

/** Makes a renderer that remembers what it wrote of an event for as long as somebody holds that. */
export function createRenderBody(): RenderBody {
  const known = new WeakMap<LoggedEvent, Map<string, Buffer>>()
  return (event, shape, isReplay) => {
    const bodies = known.get(event) ?? new Map<string, Buffer>()
    if (bodies.size === 0) known.set(event, bodies)
    const key = `${shape.format} ${isReplay} ${JSON.stringify(shape.payload)}`
    const body = bodies.get(key) ?? renderBody(event, shape, isReplay)
    bodies.set(key, body)
    return body
  }
}

/** The body of an event, secrets masked; one that a replay hands on says so, whatever its shape. */
export function renderBody(
  event: LoggedEvent,
  { format, payload }: BodyShape,
  isReplay: boolean = false,
): Buffer {
  const json = shaped(event, payload, isReplay)
  return format === "standard" ? json : cloudEvent(event, json, isReplay)
}

function shaped(event: LoggedEvent, payload: PayloadShape, isReplay: boolean): Buffer {
  if (payload === "all") return renderEventBytes(event, isReplay ? '"replay":true' : undefined)
  const head = { ...eventHead(event), ...(isReplay ? { replay: true } : {}) }
  if (payload === "head") return Buffer.from(JSON.stringify(head))
  const picked = new Set([...payload.pick, "replay"])
  const members = Object.entries(head).filter(([name]) => picked.has(name))
  const json = JSON.stringify(Object.fromEntries(members))
  if (!picked.has("payload")) return Buffer.from(json)
  const text = maskedText(event.raw, event.contentType)
  return Buffer.from(`${json.slice(0, -1)}${members.length === 0 ? "" : ","}"payload":${text}}`)
}

/** Structured mode of CloudEvents 1.0 (section 3.1 of its JSON format). */
function cloudEvent(event: LoggedEvent, data: Buffer, isReplay: boolean): Buffer {
  const path = [event.tenant, event.platform, event.source].map(encodeURIComponent).join("/")
  const attributes = {
    specversion: "1.0",
    id: event.id,
    source: `/signalbox/${path}`,
    type: event.type,
    ...(event.entity === null ? {} : { subject: event.entity }),
    time: (event.occurredAt ?? event.receivedAt).toISOString(),
    datacontenttype: "application/json",
    ...(isReplay ? { signalboxreplay: true } : {}), // an extension, whose names have no capitals
  }
  const head = `${JSON.stringify(attributes).slice(0, -1)},"data":`
  return Buffer.concat([Buffer.from(head), data, Buffer.from("}")])
}

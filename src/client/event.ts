import type { PlatformName } from "../core/envelope.ts"
import type { EventHead } from "../core/render.ts"
import type { EventMaps } from "../event-maps.ts"
import type { EventName, PayloadOf } from "../handlers/event-names.ts"

/** An event as the hub's API and its streams show it: the envelope, and the payload as its sender wrote it. */
export interface ClientEvent<Payload = unknown> extends Readonly<Omit<EventHead, "platform" | "position">> {
  readonly platform: PlatformName
  /** Its place in the log; null in the history while it is not processed. */
  readonly position: number | null
  readonly payload: Payload
}

/** An event and the cursor behind it: a stream asked for what comes `after` this position goes on from here. */
export interface StreamItem {
  readonly position: number
  readonly event: ClientEvent & { readonly position: number }
  /** The event as it was sent, where a number beyond 2^53 in its payload must stay as it is. */
  readonly json: string
}

/** Positions that retention has dropped, `to` included. */
export interface Gap {
  from: number
  to: number
}

/** A value as it looks when it has gone through JSON. */
export type AsJson<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? AsJson<Item>[]
    : T extends object
      ? { [Key in keyof T]: AsJson<T[Key]> }
      : T

/**
 * Whether an event is of a name that handlers know, with the payload of that name:
 *
 *     if (isEvent(event, "github", "pull_request:opened")) event.payload.pull_request.title
 *
 * A name without an action (`pull_request`, or `pull_request:*`) stands for every action.
 */
export function isEvent<Platform extends keyof EventMaps, Name extends EventName<EventMaps[Platform]>>(
  event: ClientEvent,
  platform: Platform,
  name: Name,
): event is ClientEvent<PayloadOf<EventMaps[Platform], Name>> {
  if (event.platform !== platform) return false
  const wanted = name.endsWith(":*") ? name.slice(0, -2) : name
  if (wanted === name && wanted.includes(":")) return event.name === wanted
  return event.name === wanted || event.name.startsWith(`${wanted}:`)
}

import { SignalboxError } from "./errors.ts"
import type { LoggedEvent } from "./envelope.ts"
import { isStorableText } from "./filter-text.ts"
import { spend, type Steps } from "./filter-steps.ts"
import { maskedPayload } from "./mask.ts"
import { parsePayload } from "./payload.ts"

/**
 * Finds what stands at a path in an event: nothing, one value, or several where arrays are on the way.
 * Every element looked at is a step; once the steps are spent it finds no more.
 */
export type PathReader = (event: LoggedEvent, steps: Steps) => unknown[]

const maxSegments = 32

const roots: Readonly<Record<string, (event: LoggedEvent) => unknown>> = {
  id: (event) => event.id,
  position: (event) => event.position,
  tenant: (event) => event.tenant,
  platform: (event) => event.platform,
  source: (event) => event.source,
  type: (event) => event.type,
  name: (event) => event.name,
  deliveryId: (event) => event.deliveryId,
  actor: (event) => event.actor,
  entity: (event) => event.entity,
  references: (event) => event.references,
  title: (event) => event.title,
  url: (event) => event.url,
  priority: (event) => event.priority,
  occurredAt: (event) => event.occurredAt?.toISOString() ?? null,
  receivedAt: (event) => event.receivedAt.toISOString(),
  correlationId: (event) => event.correlationId,
  causationId: (event) => event.causationId,
  payload: payloadOf,
}

/**
 * Compiles a dot path into the JSON of an event: `actor.name`, `payload.pull_request.base.ref`. A
 * number picks one element of an array, any other name goes into all of its elements
 * (`payload.labels.name`); an array at the end stands for itself and for its elements. `\.` is a dot
 * within a name. Throws 400 where the first name is no field of an event.
 */
export function compilePath(path: string): PathReader {
  const [root, ...segments] = path.split(/(?<!\\)\./).map((segment) => segment.replaceAll("\\.", "."))
  const read = root !== undefined && Object.hasOwn(roots, root) ? roots[root] : undefined
  if (read === undefined) {
    const known = Object.keys(roots).join(", ")
    throw new SignalboxError("bad_request", `filter: where.${path} begins with none of ${known}`)
  }
  if (!isStorableText(path)) {
    throw new SignalboxError("bad_request", "filter: a path in where has a NUL or half a character")
  }
  if (segments.length > maxSegments || segments.includes("")) {
    throw new SignalboxError(
      "bad_request",
      `filter: the path ${path} has an empty name or more than ${maxSegments}`,
    )
  }
  return (event, steps) => {
    let values = [read(event)]
    for (const segment of segments) values = values.flatMap((value) => step(value, segment, steps))
    return values.flatMap((value) => {
      if (!spend(steps, Array.isArray(value) ? 1 + value.length : 1)) return []
      return Array.isArray(value) ? [value].concat(value) : [value]
    })
  }
}

const index = /^\d{1,9}$/

// Own properties only: a path must never reach what JavaScript hangs on every object.
function step(value: unknown, segment: string, steps: Steps): unknown[] {
  if (!spend(steps, 1)) return []
  if (typeof value !== "object" || value === null) return []
  if (Array.isArray(value)) {
    if (index.test(segment)) return Number(segment) < value.length ? [value[Number(segment)]] : []
    if (!spend(steps, value.length)) return []
    return value.flatMap((element) => (Array.isArray(element) ? [] : step(element, segment, steps)))
  }
  return Object.hasOwn(value, segment) ? [Reflect.get(value, segment)] : []
}

// Filters are asked about one event after the other, so the last payload is the one to keep: parsed
// once for all of them, and no more than one held.
let parsed: { event: WeakRef<LoggedEvent>; payload: unknown } | undefined

function payloadOf(event: LoggedEvent): unknown {
  if (parsed?.event.deref() !== event) {
    parsed = { event: new WeakRef(event), payload: tryParse(event) }
  }
  return parsed.payload
}

function tryParse(event: LoggedEvent): unknown {
  try {
    // Masked, or whoever may filter could ask for a secret letter by letter.
    if (event.masked === true) return parsePayload(event.raw, event.contentType)
    return maskedPayload(event.raw, event.contentType)
  } catch {
    return undefined // a body that cannot be read has no fields; the event itself still flows
  }
}

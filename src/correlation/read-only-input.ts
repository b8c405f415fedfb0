import type { RuleEvent, RuleInput } from "./rule.ts"

/** What a rule of the user's own is given. */
export type OwnRuleInput = Pick<RuleInput, "event" | "normalized" | "references">

const made = new WeakMap<RuleInput, OwnRuleInput>()

/**
 * What rules are given of an event, in a copy that cannot be written to and is made once an event: a rule that
 * changed it would change what is stored of the event, and what other rules find. Who writes gets a TypeError.
 */
export function readOnlyInput(input: RuleInput): OwnRuleInput {
  let own = made.get(input)
  if (own === undefined) {
    own = {
      event: readOnlyEvent(input.event),
      normalized: readOnly(input.normalized),
      references: readOnly(input.references),
    }
    made.set(input, own)
  }
  return own
}

/**
 * The body is frozen when it is first read, and its bytes, which cannot be frozen, are copied at each reading.
 * Its fields are named one by one: to spread the event would parse its body.
 */
function readOnlyEvent(event: RuleEvent): RuleEvent {
  return Object.freeze({
    id: event.id,
    tenant: event.tenant,
    platform: event.platform,
    source: event.source,
    type: event.type,
    name: event.name,
    deliveryId: event.deliveryId,
    priority: event.priority,
    actor: readOnly(event.actor),
    entity: event.entity,
    title: event.title,
    url: event.url,
    occurredAt: readOnly(event.occurredAt),
    receivedAt: readOnly(event.receivedAt),
    correlationId: event.correlationId,
    causationId: event.causationId,
    headers: readOnly(event.headers),
    contentType: event.contentType,
    sender: event.sender,
    backfilled: event.backfilled,
    get payload() {
      return frozen(event.payload)
    },
    get raw() {
      return Buffer.from(event.raw)
    },
  })
}

/** Freezes what was parsed of JSON, however deep: a body may hold more brackets than there is stack. */
function frozen(root: unknown): unknown {
  const left = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) continue
    Object.freeze(value)
    for (const member of Object.values(value)) if (typeof member === "object") left.push(member)
  }
  return root
}

function readOnly<T>(value: T): T
function readOnly(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Date) return new ReadOnlyDate(value)
  if (Array.isArray(value)) return Object.freeze(value.map((member) => readOnly(member)))
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) copy[name] = readOnly(member)
  return Object.freeze(copy)
}

/** Freezing leaves a date its setters. */
class ReadOnlyDate extends Date {}

for (const name of Object.getOwnPropertyNames(Date.prototype)) {
  if (!name.startsWith("set")) continue
  Object.defineProperty(ReadOnlyDate.prototype, name, {
    value: () => {
      throw new TypeError("the dates that a rule is given are read-only: new Date(date) makes a copy")
    },
  })
}

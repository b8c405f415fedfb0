import { shownFields, stateValue, type StateValue } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { fieldsOf } from "../../core/fields.ts"
import { isOwnThing } from "./own-thing.ts"
import type { CustomEvent } from "./schema.ts"

const memberName = /^[A-Za-z_][\w.-]{0,63}$/
const maxMembers = 50

/**
 * What an event tells of its thing: title, address, and the plain members of its payload. Of the things of
 * another platform that platform tells, and an event of one's own says nothing of how they stand.
 */
export function statesOf(event: CustomEvent, receivedAt: Date): EntityState[] {
  const { entity, title, url, occurredAt, payload } = event
  if (entity === undefined || entity === null || !isOwnThing(entity)) return []
  const members: Record<string, StateValue | undefined> = {}
  for (const [name, value] of Object.entries(fieldsOf(payload))) {
    const known = memberName.test(name) ? stateValue(value) : undefined
    if (known !== undefined) members[name] = known
    if (Object.keys(members).length === maxMembers) break
  }
  const fields = shownFields({
    ...members,
    ...(typeof title === "string" ? { title: stateValue(title) } : {}),
    ...(typeof url === "string" ? { url: stateValue(url) } : {}),
  })
  return Object.keys(fields).length === 0
    ? []
    : [{ entity, at: occurredAt ?? receivedAt, fields, keepsLinks: true }]
}

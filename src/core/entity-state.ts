import { hash } from "node:crypto"
import type { EntityState } from "./envelope.ts"
import { textOrNull } from "./text.ts"

const maxShown = 256
const maxRead = 262_144

/** What a field of a state holds. */
export type StateValue = EntityState["fields"][string]

/** A text as a state holds it: itself, or where it is long a digest, by which a change is still seen. */
export function stateOfText(text: string | null): string | null {
  if (text === null || text.length <= maxShown) return text
  return `sha256:${hash("sha256", text)}`
}

/** A value of a body as a state holds it, null where it is empty; undefined for what shows nothing. */
export function stateValue(value: unknown): StateValue | undefined {
  if (typeof value === "string") return stateOfText(textOrNull(value, maxRead))
  if (value === null || typeof value === "boolean") return value
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** The fields that are shown at all. */
export function shownFields(
  fields: Readonly<Record<string, StateValue | undefined>>,
): Record<string, StateValue> {
  const shown: Record<string, StateValue> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) shown[name] = value
  return shown
}

/** What is said of an entity, and perhaps of which, and in whose field. */
interface Said {
  subject?: string
  document?: string
}

/**
 * References and texts as fields of the thing whose state tells of them: each that `fieldOf` places in
 * one of its fields has the thing for its document, unless it says of whom it is itself. What stood in
 * the fields of a deleted thing is no longer said.
 */
export function inFieldsOf<T extends Said>(
  state: EntityState | undefined,
  said: readonly T[],
  fieldOf: (one: T) => string,
): T[] {
  return said.flatMap((one) => {
    const own = one.subject === undefined && one.document === undefined
    if (state === undefined || !own || !Object.hasOwn(state.fields, fieldOf(one))) return [one]
    return state.deleted === true ? [] : [{ ...one, document: state.entity }]
  })
}

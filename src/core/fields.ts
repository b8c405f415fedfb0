/** A parsed JSON object of which nothing is known yet but that it is one. */
export type Fields = Readonly<Record<string, unknown>>

const none: Fields = Object.freeze({})

/** Whether a value is a JSON object: no array, no null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The value where it is a JSON object, else an empty one, so that absent members read as undefined. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : none
}

/** The value where it is a JSON array, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

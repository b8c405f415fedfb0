import { fieldsOf, isFields, listOf } from "../../core/fields.ts"
import { misspelt } from "../../core/nearest-name.ts"

/**
 * What is wrong with the names of the members of an event's references, and where; null where nothing is. The
 * event itself may be another tool's webhook passed on as it is, so that whatever it has besides passes.
 */
export function faultOfReferences(
  given: unknown,
  members: readonly string[],
): { path: (string | number)[]; message: string } | null {
  for (const [index, one] of listOf(fieldsOf(given)["references"]).entries()) {
    const message = isFields(one) ? misspelt(one, members) : null
    if (message !== null) return { path: ["references", index], message }
  }
  return null
}

import { fieldsOf, isFields, listOf } from "../../core/fields.ts"
import { misspelt, unknownNames } from "../../core/nearest-name.ts"

interface Members {
  event: readonly string[]
  reference: readonly string[]
}

/** The one short form that people write of their own accord. */
const shortened = "unknown member refs; did you mean references?"

/**
 * What is wrong with the names of an event's members, and where; null where nothing is. A reference has ours
 * alone. An event may be another tool's webhook passed on as it is: of what it has besides only that is refused
 * which is one of ours misspelt.
 */
export function faultOfMembers(
  given: unknown,
  { event, reference }: Members,
): { path: (string | number)[]; message: string } | null {
  const fields = fieldsOf(given)
  const message = "refs" in fields && !("references" in fields) ? shortened : misspelt(fields, event)
  if (message !== null) return { path: [], message }
  for (const [index, one] of listOf(fields["references"]).entries()) {
    const unknown = isFields(one) ? Object.keys(one).filter((name) => !reference.includes(name)) : []
    if (unknown.length > 0) {
      return { path: ["references", index], message: unknownNames("member", unknown, reference) }
    }
  }
  return null
}

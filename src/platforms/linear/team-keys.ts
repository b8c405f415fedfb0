import { type Fields, fieldsOf, listOf } from "../../core/fields.ts"
import { isIdentifier } from "./urls.ts"

const keyForm = /^(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,7}$/
const maxPrevious = 50

/**
 * Keys of teams that a webhook's thing, of this model, shows: the team's own, that of the issue, and those
 * under which an issue went before it moved. In capitals, each once.
 */
export function teamKeysOf(model: unknown, data: Fields): string[] {
  const issues = [data, fieldsOf(data["issue"]), fieldsOf(fieldsOf(data["comment"])["issue"])]
  const keys = [
    model === "Team" ? data["key"] : undefined,
    ...issues.map((issue) => fieldsOf(issue["team"])["key"]),
    ...issues.flatMap((issue) =>
      [issue["identifier"], ...listOf(issue["previousIdentifiers"]).slice(0, maxPrevious)]
        .filter(isIdentifier)
        .map((identifier) => identifier.slice(0, identifier.lastIndexOf("-"))),
    ),
  ]
  const known = keys.filter((key): key is string => typeof key === "string" && keyForm.test(key))
  return [...new Set(known.map((key) => key.toUpperCase()))]
}

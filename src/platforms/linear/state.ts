import { type Fields, fieldsOf } from "../../core/fields.ts"
import { timeOrNull } from "../../core/time.ts"

/**
 * The state that a webhook tells of (see Identity), in words that Linear's API says as well: a creation
 * by when the thing was made, an update by its `updatedAt`, a removal by when it went. Null where the
 * API shows nothing of it: an update that left `updatedAt` as it was, and whatever is not about a thing.
 */
export function stateOf(payload: Fields): string | null {
  const { type, action } = payload
  const data = fieldsOf(payload["data"])
  switch (action) {
    case "create":
      return modelState(type, data["id"], data["createdAt"])
    case "update":
      return sameTime(data["updatedAt"], data["createdAt"])
        ? null
        : modelState(type, data["id"], data["updatedAt"])
    case "remove":
      // A removed thing's `updatedAt` is from before its removal.
      return modelState(type, data["id"], data["archivedAt"] ?? payload["createdAt"], "removed")
    default:
      return null
  }
}

/** `Issue:<id>@<time>`; null unless every part is there. */
export function modelState(type: unknown, id: unknown, at: unknown, what?: "removed"): string | null {
  const time = timeOrNull(at)
  if (time === null || !isWord(type) || !isWord(id)) return null
  return `${type}:${id}${what === undefined ? "" : `:${what}`}@${time.toISOString()}`
}

const word = /^[\w-]{1,64}$/

function isWord(value: unknown): value is string {
  return typeof value === "string" && word.test(value)
}

function sameTime(a: unknown, b: unknown): boolean {
  const time = timeOrNull(a)
  return time !== null && time.getTime() === timeOrNull(b)?.getTime()
}

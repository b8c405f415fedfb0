import { shapeOf } from "./catalogue/index.ts"
import { text } from "./read.ts"

const eventName = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/

/** Whether a header's event name has the form of one. `__proto__` and `*` do not. */
export function isEventName(name: string): boolean {
  return name.length <= 64 && eventName.test(name)
}

/** What happened, in GitHub's own word; null for the events that have no actions. */
export function actionOf(payload: unknown): string | null {
  return text(payload, "action", 100)
}

/** `pull_request:opened`, or `push`. */
export function nameOf(event: string, payload: unknown): string {
  const action = actionOf(payload)
  return action === null ? event : `${event}:${action}`
}

/** `github.pull_request.opened`. A repository_dispatch has any words for its action, so they are put in form. */
export function typeOf(event: string, payload: unknown): string {
  const action = actionOf(payload)
    ?.toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "")
  return `github.${event}.${action || (shapeOf(event).verb ?? "received")}`
}

import { deliveryKey } from "../../core/delivery-key.ts"
import { actionOf } from "./naming.ts"
import { id, text } from "./read.ts"

type State = (payload: unknown) => string | null

/**
 * What an event says has come about, in words that GitHub's records say as well (see Identity.record):
 * by it an event made of a record and its webhook are found to be the same. Null for what no record
 * tells of. Ids, and never names: repositories are renamed.
 */
export function stateOf(event: string, payload: unknown): string | null {
  const read = states.get(`${event}:${actionOf(payload) ?? ""}`)
  const state = read?.(payload) ?? null
  return state === null ? null : deliveryKey(state)
}

const states: ReadonlyMap<string, State> = new Map([
  ["pull_request:opened", once("pull_request:opened", "pull_request.id")],
  ["pull_request:closed", closed("pull_request")],
  ["issues:opened", once("issues:opened", "issue.id")],
  ["issues:closed", closed("issue")],
  ["issue_comment:created", once("issue_comment:created", "comment.id")],
  ["pull_request_review_comment:created", once("pull_request_review_comment:created", "comment.id")],
  ["pull_request_review:submitted", once("pull_request_review:submitted", "review.id")],
  ["release:published", once("release:published", "release.id")],
  ["deployment:created", once("deployment:created", "deployment.id")],
  ["deployment_status:created", once("deployment_status:created", "deployment_status.id")],
  ["push:", pushed],
])

/** Of what happens to a thing once in its life. */
function once(name: string, path: string): State {
  return (payload) => {
    const found = id(payload, path)
    return found === null ? null : `${name}:${found}`
  }
}

// What is closed may be opened and closed again; the time of it is the record's own, to the second.
function closed(about: string): State {
  return (payload) => {
    const found = id(payload, `${about}.id`)
    const when = text(payload, `${about}.closed_at`, 64)
    return found === null || when === null ? null : `${about}:closed:${found}@${when}`
  }
}

// The times of a push and of its record differ; a branch that is forced back and forth between two
// commits is the one case that its ends do not tell apart.
function pushed(payload: unknown): string | null {
  const repository = id(payload, "repository.id")
  const ref = text(payload, "ref")
  const before = text(payload, "before", 64)
  const after = text(payload, "after", 64)
  if (repository === null || ref === null || before === null || after === null) return null
  return `push:${repository}:${ref}:${before}:${after}`
}

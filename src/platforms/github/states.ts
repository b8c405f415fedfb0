import { shownFields, stateValue, type StateValue } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { branchIdKey, branchKey, global, type KeyReader, repositoryOf } from "./keys.ts"
import { at, id, list, text, time } from "./read.ts"
import { statesWithinSecond, withinSecond } from "./within-second.ts"

type Read = (payload: unknown) => readonly EntityState[]

/** How the state of a thing is read from a body. */
interface StateSpec {
  /** Key of the thing, by its id where the body tells it. */
  entity: KeyReader
  /** The field that holds it. */
  about: string
  /** Where each field of the state is found within it, or how it is read from it. */
  fields: Readonly<Record<string, string | ((thing: unknown) => StateValue | undefined)>>
  /** When it was last changed; the first path that the body has. */
  clock?: readonly string[]
  /** What is deleted never comes again under its id. */
  final?: true
}

/**
 * Reads what an event shows of a thing: every field that is in its body, whether it holds anything or not.
 * A body from which a field is missing says nothing of it.
 */
export function stateReader({ entity, about, fields, clock, final }: StateSpec): Read {
  const clocks = clock ?? [`${about}.updated_at`, `${about}.created_at`]
  return (payload) => {
    const key = entity(payload)
    const when = firstTime(payload, clocks)
    const thing = at(payload, about)
    if (key === null || when === null) return []
    const read = Object.entries(fields).map(([name, field]) => [
      name,
      typeof field === "string" ? stateValue(at(thing, field)) : field(thing),
    ])
    const states = statesWithinSecond(payload, key, when, shownFields(Object.fromEntries(read)))
    return final === true ? states.map(forGood) : states
  }
}

function forGood(state: EntityState): EntityState {
  return state.deleted === true ? { ...state, final: true } : state
}

/** Names of what a list holds, as one text; null for an empty one. */
export function namesIn(path: string, name: string): (thing: unknown) => StateValue | undefined {
  return (thing) => {
    if (!Array.isArray(at(thing, path))) return undefined
    const names = list(thing, path, 100).flatMap((entry) => text(entry, name, 256) ?? [])
    return stateValue(names.toSorted().join(", "))
  }
}

/** A comment, of the kind that its key names. */
export function commentState(kind: string): Read {
  return stateReader({
    entity: global(kind, "comment.id"),
    about: "comment",
    fields: { comment: "body", author: "user.login" },
    final: true,
  })
}

/**
 * The review of a pull request. What becomes of it after it was submitted has no time of its own; the pull
 * request's is no earlier.
 */
export function reviewState(payload: unknown): readonly EntityState[] {
  const key = global("review", "review.id")(payload)
  const submitted = time(payload, "review.submitted_at")
  if (key === null || submitted === null) return []
  const later =
    text(payload, "action") === "submitted"
      ? []
      : [time(payload, "review.updated_at"), time(payload, "pull_request.updated_at")]
  const fields = {
    review: stateValue(at(payload, "review.body")),
    state: stateValue(at(payload, "review.state")),
    author: stateValue(at(payload, "review.user.login")),
  }
  const when = new Date(Math.max(submitted.getTime(), ...later.map((other) => other?.getTime() ?? 0)))
  return statesWithinSecond(payload, key, when, shownFields(fields))
}

/**
 * Whether a branch is there. Its name is no field: a branch that was deleted, as they are once merged, still
 * names the issue it was made for.
 */
export function branchState(action: "created" | "deleted"): Read {
  return (payload) => {
    const when = time(payload, "repository.pushed_at")
    if (at(payload, "ref_type") !== "branch" || when === null) return []
    const ref = at(payload, "ref")
    const key = branchIdKey(id(payload, "repository.id"), ref) ?? branchKey(repositoryOf(payload), ref)
    return key === null ? [] : statesWithinSecond({ action }, key, when, {})
  }
}

/** Of statuses of one second, the later in the life of a deployment. */
const progress: Readonly<Record<string, number>> = {
  queued: 1,
  pending: 1,
  in_progress: 2,
  success: 3,
  failure: 3,
  error: 3,
  inactive: 4,
}

/** A deployment at one of its statuses, or as it was asked for. */
export function deploymentState(entity: KeyReader): Read {
  return (payload) => {
    const key = entity(payload)
    const status = at(payload, "deployment_status.state")
    const clocks =
      status === undefined
        ? ["deployment.created_at"]
        : ["deployment_status.updated_at", "deployment_status.created_at"]
    const when = firstTime(payload, clocks)
    if (key === null || when === null) return []
    const rank =
      typeof status === "string" ? (Object.hasOwn(progress, status) ? progress[status] : undefined) : 0
    const fields = shownFields({
      state: stateValue(status),
      environment: stateValue(
        at(payload, "deployment_status.environment") ?? at(payload, "deployment.environment"),
      ),
      sha: stateValue(at(payload, "deployment.sha")),
      ref: stateValue(at(payload, "deployment.ref")),
      task: stateValue(at(payload, "deployment.task")),
      url: stateValue(at(payload, "deployment_status.environment_url")),
      author: stateValue(at(payload, "deployment.creator.login")),
    })
    return [{ entity: key, at: withinSecond(when, rank ?? 1), fields }]
  }
}

function firstTime(payload: unknown, paths: readonly string[]): Date | null {
  for (const path of paths) {
    const found = time(payload, path)
    if (found !== null) return found
  }
  return null
}

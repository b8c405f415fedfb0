import { shownFields, stateValue, type StateValue } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { branchIdKey, branchKey, global, type KeyReader, repositoryOf } from "./keys.ts"
import { at, id, list, text, time } from "./read.ts"

type Read = (payload: unknown) => EntityState | null

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
}

/**
 * Reads what an event shows of a thing: every field that is in its body, whether it holds anything or not.
 * A body from which a field is missing says nothing of it.
 */
export function stateReader({ entity, about, fields, clock }: StateSpec): Read {
  const clocks = clock ?? [`${about}.updated_at`, `${about}.created_at`]
  return (payload) => {
    const key = entity(payload)
    const when = firstTime(payload, clocks)
    const thing = at(payload, about)
    if (key === null || when === null) return null
    const read = Object.entries(fields).map(([name, field]) => [
      name,
      typeof field === "string" ? stateValue(at(thing, field)) : field(thing),
    ])
    return state(key, when, text(payload, "action"), shownFields(Object.fromEntries(read)))
  }
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
  })
}

/**
 * The review of a pull request. What becomes of it after it was submitted has no time of its own; the pull
 * request's is no earlier.
 */
export function reviewState(payload: unknown): EntityState | null {
  const key = global("review", "review.id")(payload)
  const submitted = time(payload, "review.submitted_at")
  if (key === null || submitted === null) return null
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
  return state(key, when, text(payload, "action"), shownFields(fields))
}

/**
 * Whether a branch is there. Its name is no field: a branch that was deleted, as they are once merged, still
 * names the issue it was made for.
 */
export function branchState(action: "created" | "deleted"): Read {
  return (payload) => {
    const when = time(payload, "repository.pushed_at")
    if (at(payload, "ref_type") !== "branch" || when === null) return null
    const ref = at(payload, "ref")
    const key = branchIdKey(id(payload, "repository.id"), ref) ?? branchKey(repositoryOf(payload), ref)
    return key === null ? null : state(key, when, action, {})
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
    if (key === null || when === null) return null
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
    return { entity: key, at: withinSecond(when, rank ?? 1), fields }
  }
}

function firstTime(payload: unknown, paths: readonly string[]): Date | null {
  for (const path of paths) {
    const found = time(payload, path)
    if (found !== null) return found
  }
  return null
}

function state(
  entity: string,
  when: Date,
  action: string | null,
  fields: EntityState["fields"],
): EntityState {
  const changed = { entity, at: withinSecond(when, ranks.get(action ?? "") ?? 1), fields }
  return action === "deleted" ? { ...changed, deleted: true } : changed
}

/**
 * Of what happens to a thing within one second, which came later: its making first, its end last, and what
 * rewrites it after what only sorts it. A deletion has no time of its own but the thing's last change.
 */
const ranks: ReadonlyMap<string, number> = new Map([
  ["opened", 0],
  ["created", 0],
  ["submitted", 0],
  ["edited", 2],
  ["dismissed", 2],
  ["closed", 2],
  ["deleted", 3],
])

/** GitHub's clocks tell seconds; the milliseconds tell the order within one, as far as it is known. */
function withinSecond(when: Date, rank: number): Date {
  return new Date(Math.floor(when.getTime() / 1000) * 1000 + rank)
}

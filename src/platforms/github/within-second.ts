import type { StateValue } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { fieldsOf } from "../../core/fields.ts"
import { at, text } from "./read.ts"

/**
 * GitHub's clocks tell seconds; the milliseconds of a state's time tell the order within one, as far as it
 * is known. Of two events of one second, a field stands as that one tells which changed it: an edit shows
 * the labels as well, but as it found them. What is made comes first, what is deleted last; all else that an
 * event shows, it may have found or left so.
 */

const made = 0
const shown = 1
const changed = 2
const deleted = 99

/** The fields that an action changes, and its place among those that change the same. */
interface Change {
  fields: readonly string[]
  /** Of two that undo each other, the later is the one that mostly follows at once. */
  order?: 1
  /** A list that grows or shrinks by one at a time tells itself which of several came later. */
  list?: "grows" | "shrinks"
}

const ending = ["state", "stateReason", "closedAt", "merged", "mergedAt"]
const publishing = ["draft", "prerelease", "publishedAt"]

const changes: ReadonlyMap<string, Change> = new Map<string, Change>([
  ["closed", { fields: ending }],
  ["reopened", { fields: ending, order: 1 }], // closed and reopened at once, to have checks run again
  ["labeled", { fields: ["labels"], list: "grows" }],
  ["unlabeled", { fields: ["labels"], list: "shrinks" }],
  ["assigned", { fields: ["assignee"], list: "grows" }],
  ["unassigned", { fields: ["assignee"], list: "shrinks" }],
  ["demilestoned", { fields: ["milestone"] }],
  ["milestoned", { fields: ["milestone"], order: 1 }], // moved from one to another
  ["converted_to_draft", { fields: ["draft"] }],
  ["ready_for_review", { fields: ["draft"] }],
  ["synchronize", { fields: ["headSha"] }],
  ["locked", { fields: ["locked"] }],
  ["unlocked", { fields: ["locked"] }],
  ["category_changed", { fields: ["category"] }],
  ["dismissed", { fields: ["state"] }],
  ["archived", { fields: ["archived"] }],
  ["unarchived", { fields: ["archived"] }],
  ["privatized", { fields: ["visibility"] }],
  ["publicized", { fields: ["visibility"] }],
  ["renamed", { fields: ["name"] }],
  ["transferred", { fields: ["name"] }],
  ["published", { fields: publishing }],
  ["released", { fields: publishing }],
  ["prereleased", { fields: publishing }],
  ["unpublished", { fields: publishing }],
  ["sub_issue_removed", { fields: ["parent"] }],
  ["parent_issue_removed", { fields: ["parent"] }],
  ["sub_issue_added", { fields: ["parent"], order: 1 }], // moved from one to another
  ["parent_issue_added", { fields: ["parent"], order: 1 }],
  ["blocked_by_added", { fields: ["blockedBy"] }],
  ["blocking_added", { fields: ["blockedBy"] }],
  ["blocked_by_removed", { fields: ["blockedBy"], order: 1 }],
  ["blocking_removed", { fields: ["blockedBy"], order: 1 }],
])

/** What an edit may change, by the names that `changes` of its body has for it. */
const edited: ReadonlyMap<string, readonly string[]> = new Map([
  ["title", ["title"]],
  ["name", ["title"]],
  ["body", ["body", "comment", "review"]],
  ["base", ["baseBranch"]],
  ["tag_name", ["tag"]],
  ["description", ["description"]],
  ["default_branch", ["defaultBranch"]],
])

const making: ReadonlySet<string | null> = new Set(["opened", "created", "submitted"])

/**
 * How a thing stood that an event shows, as one state for each place within the second that its fields have,
 * the earliest first.
 */
export function statesWithinSecond(
  payload: unknown,
  entity: string,
  when: Date,
  fields: EntityState["fields"],
): EntityState[] {
  const action = text(payload, "action")
  if (action === "deleted") return [{ entity, at: withinSecond(when, deleted), fields, deleted: true }]
  if (making.has(action)) return [{ entity, at: withinSecond(when, made), fields }]
  const change = action === "edited" ? changeOfEdit(payload) : changes.get(action ?? "")
  const byPlace = new Map<number, Record<string, StateValue>>()
  for (const [name, value] of Object.entries(fields)) {
    const place = change?.fields.includes(name) === true ? placeOf(change, value) : shown
    byPlace.set(place, { ...byPlace.get(place), [name]: value })
  }
  if (byPlace.size === 0) byPlace.set(shown, {})
  return [...byPlace]
    .toSorted(([a], [b]) => a - b)
    .map(([place, found]) => ({ entity, at: withinSecond(when, place), fields: found }))
}

/** The fields of which an edit tells that it changed them; all that can be edited where it tells of none. */
function changeOfEdit(payload: unknown): Change {
  const told = fieldsOf(at(payload, "changes"))
  const known = Object.keys(told).flatMap((name) => edited.get(name) ?? [])
  return { fields: known.length === 0 ? [...edited.values()].flat() : known }
}

const maxCounted = 30

function placeOf({ order, list }: Change, value: StateValue): number {
  if (list === undefined) return changed + (order ?? 0)
  const names = typeof value === "string" ? value.split(", ").length : 0
  const counted = Math.min(names, maxCounted)
  return list === "grows" ? changed + counted : changed + 2 * maxCounted + 1 - counted
}

/** The time in its second, at one of a hundred places. */
export function withinSecond(when: Date, place: number): Date {
  return new Date(Math.floor(when.getTime() / 1000) * 1000 + place)
}

import { shownFields, stateValue, type StateValue } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { type Fields, fieldsOf, isFields, listOf } from "../../core/fields.ts"
import { textOrNull } from "../../core/text.ts"
import { timeOrNull } from "../../core/time.ts"
import { webUrlOrNull } from "../../core/web-url.ts"
import { keyOfThing } from "./subject.ts"

/** A field of a state: told by these members of the thing, though not by the ids of what they hold. */
interface Shown {
  members: readonly string[]
  ids?: readonly string[]
  read: (data: Fields) => unknown
}

/** What the first member holds that holds anything; null where one is there and empty. */
function firstOf(data: Fields, members: readonly string[]): unknown {
  const values = members.map((name) => data[name]).filter((value) => value !== undefined)
  return values.find((value) => value !== null) ?? values[0]
}

function member(...members: readonly string[]): Shown {
  return { members, read: (data) => firstOf(data, members) }
}

/** What a thing within the thing is called, or another of its members. */
function within(members: readonly string[], name = "name"): Shown {
  return {
    members,
    ids: members.map((one) => `${one}Id`),
    read: (data) => {
      const value = firstOf(data, members)
      return isFields(value) ? value[name] : value
    },
  }
}

/** What every kind of thing may have; texts and references call these fields by the same names. */
const fields: Readonly<Record<string, Shown>> = {
  title: member("title"),
  name: member("name"),
  body: member("description", "body"),
  content: member("content"),
  parentId: member("parentId"),
  projectId: member("projectId"),
  state: within(["state", "status"]),
  stateType: {
    ...within(["state", "status"]),
    read: ({ state, status }) => (isFields(state) ? state : fieldsOf(status))["type"],
  },
  priority: member("priorityLabel", "priority"),
  assignee: within(["assignee"]),
  lead: within(["lead"]),
  team: within(["team"], "key"),
  project: within(["project"]),
  cycle: within(["cycle"], "number"),
  labels: {
    members: ["labels"],
    ids: ["labelIds"],
    read: ({ labels }) =>
      listOf(labels)
        .slice(0, 100)
        .flatMap((label) => textOrNull(fieldsOf(label)["name"], 256) ?? [])
        .toSorted()
        .join(", "),
  },
  estimate: member("estimate"),
  dueDate: member("dueDate"),
  health: member("health"),
  startedAt: member("startedAt"),
  completedAt: member("completedAt"),
  canceledAt: member("canceledAt"),
  archivedAt: member("archivedAt"),
}

const models: ReadonlySet<unknown> = new Set([
  "Issue",
  "IssueSLA",
  "IssueRelation",
  "Comment",
  "Attachment",
  "Project",
  "ProjectUpdate",
  "Document",
  "Initiative",
  "InitiativeUpdate",
  "CustomerNeed",
  "Cycle",
])

/** How the thing stood that an event tells of; null of a kind that has nothing to tell, or without a clock. */
export function stateOfThing(payload: Fields, data: Fields): EntityState | null {
  const { type, action } = payload
  const entity = models.has(type) ? keyOfThing(type, data["id"]) : null
  const at = clockOf(payload, data)
  if (entity === null || at === null) return null
  const state = { entity, at, fields: fieldsShown(type, payload, data) }
  return action === "remove" ? { ...state, deleted: true } : state
}

function fieldsShown(type: unknown, payload: Fields, data: Fields): EntityState["fields"] {
  const changed = fieldsOf(payload["updatedFrom"])
  const read = Object.entries(fields).map(([name, { members, ids = [], read: valueOf }]) => {
    if (members.some((one) => Object.hasOwn(data, one))) return [name, stateValue(valueOf(data))] as const
    // Webhooks leave out what is empty, and tell what it was where it has just become so.
    const wasChanged = [...members, ...ids].some((one) => Object.hasOwn(changed, one))
    return [name, wasChanged && firstOf(data, ids) === undefined ? null : undefined] as const
  })
  const shown: Record<string, StateValue | undefined> = Object.fromEntries(read)
  if (type === "Attachment" && Object.hasOwn(data, "url"))
    shown["attachment"] = stateValue(webUrlOrNull(data["url"]))
  if (type === "IssueRelation") shown["relation"] = stateValue(data["type"])
  return shownFields(shown)
}

const changing: ReadonlySet<unknown> = new Set(["update", "remove", "restore"])

/**
 * When a thing came to be as it is. Not every change moves `updatedAt`, and going to the trash never does; of
 * one that did not, the webhook's own time counts.
 */
function clockOf(payload: Fields, data: Fields): Date | null {
  const updated = timeOrNull(data["updatedAt"]) ?? timeOrNull(data["createdAt"])
  const sent = timeOrNull(payload["createdAt"])
  if (updated === null || sent === null) return updated ?? sent
  const moved = Object.hasOwn(fieldsOf(payload["updatedFrom"]), "updatedAt")
  return changing.has(payload["action"]) && !moved && sent > updated ? sent : updated
}

/** What an event shows of another thing besides: the comment that is reacted to, what an agent was told. */
export function statesBeside(payload: Fields, data: Fields): EntityState[] {
  if (payload["action"] === "remove") return []
  const comment = fieldsOf(data["comment"])
  const activity = fieldsOf(payload["agentActivity"])
  const sent = timeOrNull(payload["createdAt"]) // a copy has no clock of its own
  return [
    ...remark(keyOfThing("Comment", comment["id"]), comment["body"], sent),
    ...remark(
      keyOfThing("AgentActivity", activity["id"]),
      fieldsOf(activity["content"])["body"],
      timeOrNull(activity["updatedAt"]) ?? sent,
    ),
  ]
}

function remark(entity: string | null, body: unknown, at: Date | null): EntityState[] {
  if (entity === null || at === null) return []
  return [{ entity, at, fields: shownFields({ body: stateValue(body) }) }]
}

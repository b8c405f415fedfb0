import { entityKey } from "../../core/entity-key.ts"
import type { Reference } from "../../core/envelope.ts"
import { type Fields, fieldsOf, listOf } from "../../core/fields.ts"
import { typeSegment } from "../../core/segment.ts"
import { entityFromUrl, isIdentifier } from "./urls.ts"

/** What an event is about, and what its structure alone says of other entities. */
export interface Subject {
  entity: string | null
  references: Reference[]
}

/** Models that say something about another thing: their events belong to that thing. */
const remarks: ReadonlySet<unknown> = new Set([
  "Comment",
  "Attachment",
  "Reaction",
  "CustomerNeed",
  "AgentSession",
  "AgentActivity",
  "AgentSessionEvent",
  "AppUserNotification",
  "ProjectUpdate",
  "InitiativeUpdate",
])

/** The subject of an event of `model`, of which `data` is the thing itself and `url` its page. */
export function subjectOf(model: unknown, data: Fields, url: unknown): Subject {
  if (model === "Issue" || model === "IssueSLA")
    return issueSubject(data, data["id"], url, issueReferences(data))
  if (model === "IssueRelation") return issueRelationSubject(data) ?? own(model, data)
  return (remarks.has(model) ? remarkSubject(data, url) : null) ?? own(model, data)
}

/** What a remark is about: an issue first, else an update's project or initiative, else a document. */
function remarkSubject(data: Fields, url: unknown): Subject | null {
  const comment = fieldsOf(data["comment"])
  const issue = fieldsOf(data["issue"])
  const about = issueSubject(issue, data["issueId"] ?? comment["issueId"], url, [])
  if (about.entity !== null) return about
  const update = fieldsOf(data["projectUpdate"])
  const content = fieldsOf(data["documentContent"])
  const entity =
    key("project", data["projectId"] ?? comment["projectId"] ?? idIn(update, "project")) ??
    key("project_update", data["projectUpdateId"] ?? comment["projectUpdateId"]) ??
    key(
      "initiative",
      data["initiativeId"] ?? comment["initiativeId"] ?? idIn(data["initiativeUpdate"], "initiative"),
    ) ??
    key("initiative_update", data["initiativeUpdateId"] ?? comment["initiativeUpdateId"]) ??
    key("document", idIn(content, "document")) ??
    key("project", idIn(content, "project")) ??
    key("agent_session", data["agentSessionId"])
  return entity === null ? null : { entity, references: [] }
}

const relations: Readonly<Record<string, string>> = {
  blocks: "blocks",
  duplicate: "duplicates",
  related: "related",
}

/** What one issue is to another: Linear knows both by their ids alone here. */
function issueRelationSubject({ type, issueId, relatedIssueId }: Fields): Subject | null {
  const entity = key("issue_id", issueId)
  const related = key("issue_id", relatedIssueId)
  const relation = typeof type === "string" && Object.hasOwn(relations, type) ? relations[type] : undefined
  if (entity === null || related === null || relation === undefined) return null
  return { entity, references: [reference(related, relation, "relation", type)] }
}

function own(model: unknown, data: Fields): Subject {
  const thing = model === "AgentSessionEvent" ? "AgentSession" : model
  return { entity: keyOfThing(thing, data["id"]), references: [] }
}

/** Key of a thing of this model by its id; null where the two make none. */
export function keyOfThing(model: unknown, id: unknown): string | null {
  if (model === "Issue" || model === "IssueSLA") return key("issue_id", id)
  const kind = typeSegment(model)
  return kind !== null && /^[a-z]/.test(kind) ? key(kind, id) : null
}

/**
 * An issue by its identifier where any part of the payload tells it, else by its UUID. Where both are
 * known, `same_as` ties the two keys, so that it does not matter which of them came first.
 */
function issueSubject(issue: Fields, uuid: unknown, url: unknown, references: Reference[]): Subject {
  const identifier = identifierOf(issue) ?? identifierIn(url)
  const id = issue["id"] ?? uuid
  const byId = key("issue_id", id)
  if (identifier === null) return { entity: byId, references }
  const entity = entityKey.linearIssue(identifier)
  if (byId === null) return { entity, references }
  return {
    entity,
    references: [reference(byId, "same_as", "id", id), ...references],
  }
}

/** Older payloads lack `identifier`; the team's key and the number make it. */
function identifierOf(issue: Fields): string | null {
  if (isIdentifier(issue["identifier"])) return issue["identifier"]
  const team = fieldsOf(issue["team"])["key"]
  const number = issue["number"]
  if (typeof team !== "string" || typeof number !== "number") return null
  const derived = `${team}-${number}`
  return isIdentifier(derived) ? derived : null
}

function identifierIn(url: unknown): string | null {
  const parsed = typeof url === "string" ? URL.parse(url) : null
  return (parsed === null ? null : entityFromUrl(parsed))?.slice("linear:issue:".length) ?? null
}

/** The identifier an issue's event names, for the detail row. */
export function identifierOfEntity(entity: string | null): string | null {
  return entity?.startsWith("linear:issue:") === true ? entity.slice("linear:issue:".length) : null
}

const maxPrevious = 50

function issueReferences(issue: Fields): Reference[] {
  const references = listOf(issue["previousIdentifiers"])
    .slice(0, maxPrevious)
    .filter(isIdentifier)
    .map((one) => reference(entityKey.linearIssue(one), "same_as", "previousIdentifiers", one))
  for (const [kind, relation, field] of [
    ["issue_id", "parent", "parentId"],
    ["project", "in_project", "projectId"],
  ] as const) {
    const entity = key(kind, issue[field])
    if (entity !== null) references.push(reference(entity, relation, field, issue[field]))
  }
  return references
}

function reference(entity: string, relation: string, field: string, text: unknown): Reference {
  return { entity, relation, evidence: { field, text: typeof text === "string" ? text : entity } }
}

function idIn(value: unknown, member: string): unknown {
  return fieldsOf(fieldsOf(value)[member])["id"]
}

const idForm = /^[\w-]{1,64}$/

function key(kind: string, id: unknown): string | null {
  if (typeof id !== "string" || !idForm.test(id)) return null
  return kind === "issue_id" ? entityKey.linearIssueId(id) : `linear:${kind}:${id.toLowerCase()}`
}

import type { LinearDocument } from "@linear/sdk"
import { type Fields, fieldsOf, isFields, listOf } from "../../../core/fields.ts"

/** A kind of thing that Linear's API lists. */
export interface Model {
  /** As webhooks have it. */
  type: string
  connection: string
  /** GraphQL type of the filter. */
  filterType: string
  /** GraphQL fields, `id` and the times among them. */
  selection: string
  /** Narrows a listing down to teams; null where the API cannot, and `teamOf` tells instead. */
  filter(team: LinearDocument.TeamFilter): Fields | null
  teamOf?(node: Fields): Fields
  /** The thing as a webhook's `data` has it. */
  data(node: Fields): Fields
  /** Who made it. */
  author(node: Fields): unknown
}

const user = "{ id name email url }"
const common = "id createdAt updatedAt archivedAt"

// Connections cost as many times as they may hold things: these bounds keep a page far below the limit.
const issue: Model = {
  type: "Issue",
  connection: "issues",
  filterType: "IssueFilter",
  selection: `${common} trashed number identifier previousIdentifiers title description url
    priority priorityLabel estimate sortOrder prioritySortOrder dueDate labelIds reactionData
    startedAt completedAt canceledAt triagedAt startedTriageAt autoClosedAt autoArchivedAt snoozedUntilAt
    addedToCycleAt addedToProjectAt addedToTeamAt slaType slaStartedAt slaBreachesAt
    team { id key name } state { id color name type } labels(first: 20) { nodes { id color name } }
    creator ${user} botActor { id type subType name } assignee ${user} delegate ${user} parent { id }
    cycle { id number name startsAt endsAt } project { id name url } projectMilestone { id name }`,
  filter: (team): LinearDocument.IssueFilter => ({ team }),
  data: (node) => ({
    ...withIds(node, ["state", "team", "assignee", "delegate", "cycle", "project", "projectMilestone"], {
      creator: "creatorId",
      parent: "parentId",
      botActor: null,
    }),
    labels: nodesOf(node["labels"]),
  }),
  author: (node) => node["creator"] ?? botOf(node["botActor"]),
}

/** Things to list, in the order in which one refers to the other. */
const models: readonly Model[] = [
  {
    type: "IssueLabel",
    connection: "issueLabels",
    filterType: "IssueLabelFilter",
    selection: `${common} name description color isGroup creator ${user} team { id } parent { id }`,
    filter: (team): LinearDocument.IssueLabelFilter =>
      team.id === undefined ? { or: [{ team }, { team: { null: true } }] } : { team },
    data: (node) => withIds(node, [], { creator: "creatorId", team: "teamId", parent: "parentId" }),
    author: (node) => node["creator"],
  },
  {
    type: "Project",
    connection: "projects",
    filterType: "ProjectFilter",
    selection: `${common} trashed name description content slugId url icon color priority sortOrder
      prioritySortOrder state health healthUpdatedAt startDate startDateResolution targetDate
      targetDateResolution startedAt completedAt canceledAt autoArchivedAt labelIds
      status { id color name type } lead ${user} creator ${user} lastUpdate { id }
      teams(first: 20) { nodes { id } } members(first: 25) { nodes { id } }`,
    filter: (team): LinearDocument.ProjectFilter => ({ accessibleTeams: { some: team } }),
    data: ({ teams, members, ...node }) => ({
      ...withIds(node, ["status", "lead"], { creator: "creatorId", lastUpdate: "lastUpdateId" }),
      teamIds: nodesOf(teams).map(idOf),
      memberIds: nodesOf(members).map(idOf),
    }),
    author: (node) => node["creator"],
  },
  {
    type: "ProjectUpdate",
    connection: "projectUpdates",
    filterType: "ProjectUpdateFilter",
    selection: `${common} body health editedAt slugId url diffMarkdown reactionData
      project { id name url } user ${user}`,
    filter: (team): LinearDocument.ProjectUpdateFilter => ({ project: { accessibleTeams: { some: team } } }),
    data: (node) => withIds(node, ["project", "user"], {}),
    author: (node) => node["user"],
  },
  issue,
  {
    type: "Comment",
    connection: "comments",
    filterType: "CommentFilter",
    selection: `${common} body editedAt resolvedAt quotedText url reactionData issueId projectId projectUpdateId
      initiativeId initiativeUpdateId documentContentId parentId resolvingCommentId
      issue { id title identifier url team { id key name } } project { id name url }
      projectUpdate { id project { id name url } }
      user ${user} botActor { id type subType name }`,
    filter: (team): LinearDocument.CommentFilter => ({
      or: [
        { issue: { team } },
        { project: { accessibleTeams: { some: team } } },
        { projectUpdate: { project: { accessibleTeams: { some: team } } } },
      ],
    }),
    data: (node) => ({
      ...withIds(node, ["user", "issue", "project", "projectUpdate"], { botActor: null, url: null }),
      ...(isFields(node["issue"]) ? { issue: withIds(node["issue"], ["team"], {}) } : {}),
    }),
    author: (node) => node["user"] ?? botOf(node["botActor"]),
  },
  {
    type: "Attachment",
    connection: "attachments",
    filterType: "AttachmentFilter",
    selection: `${common} title subtitle url metadata source sourceType groupBySource creator ${user}
      issue { id team { id private } }`,
    filter: () => null,
    teamOf: (node) => fieldsOf(fieldsOf(node["issue"])["team"]),
    data: (node) => withIds(node, [], { creator: "creatorId", issue: "issueId" }),
    author: (node) => node["creator"],
  },
]

/** One listing of a sweep: what was created, updated or removed of a model. */
export interface Pass {
  /** Of its GraphQL operation. */
  name: string
  model: Model
  action: "create" | "update" | "remove"
  /** When it happened: the member that the listing is filtered by. */
  time: "createdAt" | "updatedAt" | "archivedAt"
  order: "createdAt" | "updatedAt"
}

/**
 * Listings to go through. Creations have one of their own: whatever is changed again while the sweep
 * goes on leaves the window of updates, and nothing else would tell of its creation any more.
 */
export const passes: readonly Pass[] = [
  ...models.map((model) => pass(model, "create", "createdAt", "createdAt")),
  ...models.map((model) => pass(model, "update", "updatedAt", "updatedAt")),
  // Moving an issue to the trash leaves its `updatedAt` as it was. Nothing else can be listed by its removal.
  pass(issue, "remove", "archivedAt", "updatedAt"),
]

function pass(model: Model, action: Pass["action"], time: Pass["time"], order: Pass["order"]): Pass {
  return { name: `${model.type}_${action}`, model, action, time, order }
}

/**
 * A node as webhooks spell it: next to each thing within (`state`) its id (`stateId`), of some the id
 * alone, and nothing that is null.
 */
function withIds(
  node: Fields,
  kept: readonly string[],
  replaced: Readonly<Record<string, string | null>>,
): Fields {
  const data: Record<string, unknown> = {}
  for (const [member, value] of Object.entries(node)) {
    const id = replaced[member]
    if (value === null || id === null) continue
    if (id !== undefined) {
      data[id] = idOf(value)
      continue
    }
    data[member] = value
    if (kept.includes(member)) data[`${member}Id`] = idOf(value)
  }
  return data
}

function nodesOf(connection: unknown): readonly unknown[] {
  return listOf(fieldsOf(connection)["nodes"])
}

function idOf(value: unknown): unknown {
  return fieldsOf(value)["id"]
}

function botOf(bot: unknown): unknown {
  return isFields(bot)
    ? { id: bot["id"] ?? bot["type"], name: bot["name"], service: bot["type"], type: "integration" }
    : null
}

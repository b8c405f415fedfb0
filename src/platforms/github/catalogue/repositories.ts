import { entityKey } from "../../../core/entity-key.ts"
import type { Reference } from "../../../core/envelope.ts"
import { firstKey, repository, repositoryById, repositoryName, repositoryOf, surroundings } from "../keys.ts"
import { firstText, text } from "../read.ts"
import { reference } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { stateReader } from "../states.ts"

// Almost every body has a repository; that of an event about the repository has none of these.
const otherThings = [
  "alert",
  "build",
  "check_run",
  "check_suite",
  "comment",
  "deployment",
  "discussion",
  "forkee",
  "hook",
  "issue",
  "key",
  "label",
  "member",
  "milestone",
  "package",
  "pages",
  "project",
  "project_card",
  "project_column",
  "pull_request",
  "ref",
  "registry_package",
  "release",
  "repository_ruleset",
  "rule",
  "sha",
  "starred_at",
  "status",
  "team",
  "workflow",
]

const repositoryState = stateReader({
  entity: firstKey(repositoryById, repository),
  about: "repository",
  fields: {
    name: "full_name",
    description: "description",
    visibility: "visibility",
    archived: "archived",
    defaultBranch: "default_branch",
  },
})

/** Repositories as such, and who may do what in them. */
export const repositoryShapes: Shapes = {
  repository: {
    has: ["repository", "action"],
    hasNot: otherThings,
    actions: [
      "archived",
      "created",
      "deleted",
      "edited",
      "privatized",
      "publicized",
      "renamed",
      "transferred",
      "unarchived",
    ],
    about: "repository",
    entity: repository,
    byId: repositoryById,
    title: ["repository.full_name"],
    references: renamedFrom,
    stood: repositoryState,
  },
  public: {
    verb: "publicized",
    has: ["repository"],
    hasNot: ["action", ...otherThings],
    priority: "high",
    entity: repository,
    byId: repositoryById,
    title: ["repository.full_name"],
    stood: repositoryState,
  },
  repository_import: {
    verb: "imported",
    has: ["repository", "status"],
    entity: repository,
    state: ["status"],
  },
  repository_dispatch: {
    has: ["action", "branch", "client_payload"],
    entity: repository,
    title: ["action"],
    ref: ["branch"],
  },
  fork: {
    verb: "forked",
    has: ["forkee"],
    priority: "low",
    entity: repository,
    title: ["forkee.full_name"],
    url: ["forkee.html_url"],
    time: ["forkee.created_at"],
  },
  star: {
    has: ["starred_at", "repository"],
    priority: "low",
    entity: repository,
    title: ["repository.full_name"],
    time: ["starred_at"],
  },
  watch: {
    has: ["repository"],
    actions: ["started"],
    priority: "low",
    entity: repository,
    title: ["repository.full_name"],
  },
  member: {
    has: ["member", "repository"],
    entity: repository,
    title: ["member.login"],
    url: ["repository.html_url"],
  },
  team_add: {
    verb: "added",
    has: ["team", "repository"],
    hasNot: ["action"],
    entity: repository,
    title: ["team.name"],
  },
  custom_property: {
    has: ["definition"],
    entity: surroundings,
    title: ["definition.property_name"],
  },
  custom_property_values: {
    has: ["new_property_values", "old_property_values"],
    entity: repository,
    title: ["repository.full_name"],
  },
}

function renamedFrom(payload: unknown): Reference[] {
  const now = repositoryOf(payload)
  const oldName = text(payload, "changes.repository.name.from")
  const oldOwner = firstText(payload, [
    "changes.owner.from.user.login",
    "changes.owner.from.organization.login",
  ])
  if (now === null || (oldName === null && oldOwner === null)) return []
  const [owner, name] = now.split("/", 2)
  const before = repositoryName(`${oldOwner ?? owner}/${oldName ?? name}`)
  if (before === null) return []
  const old = entityKey.githubRepository(before)
  return [
    ...reference(old, "renamed_from", "changes", before),
    ...reference(repositoryById(payload), "same_as", "changes", before, old),
  ]
}

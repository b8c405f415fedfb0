import {
  branchIdKey,
  branchKey,
  commitKey,
  firstKey,
  global,
  identified,
  refKey,
  repository,
  repositoryOf,
  surroundings,
  tagKey,
} from "../keys.ts"
import { at, id, list, text } from "../read.ts"
import { pushReferences, reference } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { branchState, commentState, stateReader } from "../states.ts"
import { line, markdown, pushTexts, refTexts } from "../texts.ts"

const releaseById = global("release_id", "release.id")

/** Commits, branches, tags and releases, and the rules that protect them. */
export const codeShapes: Shapes = {
  push: {
    verb: "pushed",
    has: ["ref", "before", "after"],
    entity: firstKey(
      pushedCommit,
      (payload) => refKey(repositoryOf(payload), at(payload, "ref")),
      repository,
    ),
    title: pushTitle,
    url: ["compare", "head_commit.url", "repository.html_url"],
    // A push says when it happened in Unix seconds; its commits may be days old.
    time: ["repository.pushed_at", "head_commit.timestamp"],
    ref: ["ref"],
    sha: ["after"],
    references: pushReferences,
    texts: pushTexts,
  },
  create: {
    verb: "created",
    has: ["ref", "ref_type", "master_branch"],
    entity: namedRef,
    byId: branchById,
    title: ["ref"],
    time: ["repository.pushed_at"],
    ref: ["ref"],
    texts: refTexts,
    stood: branchState("created"),
  },
  delete: {
    verb: "deleted",
    has: ["ref", "ref_type", "pusher_type"],
    hasNot: ["master_branch"],
    entity: namedRef,
    byId: branchById,
    title: ["ref"],
    time: ["repository.pushed_at"],
    ref: ["ref"],
    texts: refTexts,
    stood: branchState("deleted"),
  },
  commit_comment: {
    has: ["comment.commit_id"],
    hasNot: ["pull_request", "issue"],
    about: "comment",
    entity: firstKey((payload) => commitKey(at(payload, "comment.commit_id")), repository),
    sha: ["comment.commit_id"],
    texts: (payload) => markdown(payload, "comment.body", "comment"),
    stood: commentState("commit_comment"),
  },
  release: {
    has: ["release"],
    hasNot: ["package", "registry_package"],
    about: "release",
    entity: identified("release", "release.id"),
    byId: releaseById,
    title: ["release.name", "release.tag_name"],
    time: ["release.updated_at", "release.published_at", "release.created_at"],
    ref: ["release.tag_name"],
    references: (payload) => {
      const tag = at(payload, "release.tag_name")
      return reference(tagKey(repositoryOf(payload), tag), "tag", "tag", tag)
    },
    texts: (payload) => [...line(payload, "release.name"), ...markdown(payload, "release.body")],
    stood: stateReader({
      entity: releaseById,
      about: "release",
      fields: {
        title: "name",
        body: "body",
        tag: "tag_name",
        draft: "draft",
        prerelease: "prerelease",
        publishedAt: "published_at",
        author: "author.login",
      },
      clock: ["release.updated_at", "release.published_at", "release.created_at"],
    }),
  },
  gollum: {
    verb: "edited",
    has: ["pages"],
    priority: "low",
    entity: repository,
    title: (payload) => text(list(payload, "pages", 1)[0], "title"),
    url: ["pages.0.html_url", "repository.html_url"],
  },
  branch_protection_rule: {
    has: ["rule"],
    priority: "high",
    about: "rule",
    entity: repository,
  },
  branch_protection_configuration: {
    has: ["action", "repository"],
    actions: ["enabled", "disabled"],
    priority: "high",
    entity: repository,
  },
  repository_ruleset: {
    has: ["repository_ruleset"],
    priority: "high",
    about: "repository_ruleset",
    entity: surroundings,
  },
  deploy_key: {
    has: ["key"],
    priority: "high",
    about: "key",
    entity: repository,
  },
  page_build: {
    verb: "built",
    has: ["id", "build"],
    priority: "low",
    about: "build",
    entity: repository,
    state: ["build.status"],
    sha: ["build.commit"],
  },
  package: {
    has: ["package"],
    about: "package",
    entity: firstKey(identified("package", "package.id"), repository),
  },
  registry_package: {
    has: ["registry_package"],
    about: "registry_package",
    entity: firstKey(identified("package", "registry_package.id"), repository),
  },
}

// `after` is the tag's own object where an annotated tag is pushed; head_commit is the commit it names.
function pushedCommit(payload: unknown): string | null {
  if (at(payload, "deleted") === true) return null
  return commitKey(at(payload, "head_commit.id")) ?? commitKey(at(payload, "after"))
}

function pushTitle(payload: unknown): string | null {
  const ref = text(payload, "ref")?.replace(/^refs\/(?:heads|tags)\//, "")
  if (at(payload, "deleted") === true) return ref === undefined ? null : `Deleted ${ref}`
  return text(payload, "head_commit.message")?.split("\n", 1)[0] ?? ref ?? null
}

function branchById(payload: unknown): string | null {
  if (at(payload, "ref_type") !== "branch") return null
  return branchIdKey(id(payload, "repository.id"), at(payload, "ref"))
}

function namedRef(payload: unknown): string | null {
  const read = at(payload, "ref_type") === "tag" ? tagKey : branchKey
  return read(repositoryOf(payload), at(payload, "ref")) ?? repository(payload)
}

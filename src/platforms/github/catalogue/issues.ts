import { entityKey } from "../../../core/entity-key.ts"
import { stateValue } from "../../../core/entity-state.ts"
import type { EntityState, Reference } from "../../../core/envelope.ts"
import { isFields } from "../../../core/fields.ts"
import {
  firstKey,
  fromApiUrl,
  issue,
  issueById,
  numbered,
  numberedById,
  repository,
  repositoryOf,
  type KeyReader,
} from "../keys.ts"
import { at, count, id, text, time } from "../read.ts"
import { issueReferences, reference, sameIssue } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { commentState, namesIn, stateReader } from "../states.ts"
import { statesWithinSecond } from "../within-second.ts"
import { line, markdown } from "../texts.ts"

const pullRequestOfIssue = numbered("pull_request", "issue.number")
const pullRequestOfIssueById = numberedById("pull_request", "issue.number")
const discussionById = numberedById("discussion", "discussion.number")

const issueState = stateReader({
  entity: firstKey(issueOrPullRequestById, issueOrPullRequest),
  about: "issue",
  fields: {
    title: "title",
    body: "body",
    parent: "parent_issue_url",
    state: "state",
    stateReason: "state_reason",
    closedAt: "closed_at",
    author: "user.login",
    assignee: namesIn("assignees", "login"),
    labels: namesIn("labels", "name"),
    milestone: "milestone.title",
  },
  final: true,
})

/** Whether a sub-issue or a dependency was taken away. */
function isRemoved(payload: unknown): boolean {
  return text(payload, "action")?.endsWith("_removed") === true
}

/** Whose part an issue is, which is all that these events tell of it in full. */
function subIssueState(payload: unknown): readonly EntityState[] {
  const removed = isRemoved(payload)
  return stateReader({
    entity: issueByIdAt("sub_issue"),
    about: "sub_issue",
    fields: { parent: () => (removed ? null : stateValue(at(payload, "parent_issue.url"))) },
  })(payload)
}

/**
 * Whether one issue blocks another: a thing of its own, since these events tell of no other dependencies of
 * the two. It has no clock but theirs, of which each goes on.
 */
function dependencyState(payload: unknown): readonly EntityState[] {
  const ids = ["blocked_issue.id", "blocking_issue.id"].map((path) => id(payload, path))
  const times = ["blocked_issue.updated_at", "blocking_issue.updated_at"].map((path) => time(payload, path))
  const blocking = issueAt("blocking_issue")(payload)
  if (ids.includes(null) || times.includes(null) || blocking === null) return []
  const when = new Date(Math.max(...times.map(Number)))
  const entity = `github:issue_dependency:${ids.join("/").toLowerCase()}`
  return statesWithinSecond(payload, entity, when, { blockedBy: isRemoved(payload) ? null : blocking })
}

/** Issues, discussions, and what they are sorted by. */
export const issueShapes: Shapes = {
  issues: {
    has: ["issue", "action"],
    hasNot: ["comment"],
    about: "issue",
    entity: issueOrPullRequest,
    byId: issueOrPullRequestById,
    number: ["issue.number"],
    references: (payload) => [
      ...pullRequestOfSameNumber(payload),
      ...issueReferences("issue")(payload),
      ...moved(payload),
    ],
    texts: (payload) => [...line(payload, "issue.title"), ...markdown(payload, "issue.body")],
    stood: issueState,
  },
  issue_comment: {
    has: ["issue", "comment"],
    about: "comment",
    entity: issueOrPullRequest,
    byId: issueOrPullRequestById,
    title: ["issue.title"],
    number: ["issue.number"],
    state: ["issue.state"],
    references: pullRequestOfSameNumber,
    texts: (payload) => markdown(payload, "comment.body", "comment"),
    stood: commentState("issue_comment"),
  },
  sub_issues: {
    has: ["sub_issue", "parent_issue"],
    about: "sub_issue",
    entity: issueAt("sub_issue"),
    number: ["sub_issue.number"],
    references: (payload) => {
      const parent = issueAt("parent_issue")(payload)
      return isRemoved(payload)
        ? []
        : reference(parent, "parent", "parent", at(payload, "parent_issue.number"))
    },
    stood: subIssueState,
  },
  issue_dependencies: {
    has: ["blocked_issue", "blocking_issue"],
    about: "blocked_issue",
    entity: issueAt("blocked_issue"),
    number: ["blocked_issue.number"],
    references: (payload) => {
      const blocking = issueAt("blocking_issue")(payload)
      return isRemoved(payload)
        ? []
        : reference(blocking, "blocked_by", "blockedBy", at(payload, "blocking_issue.number"))
    },
    stood: dependencyState,
  },
  discussion: {
    has: ["discussion", "action"],
    hasNot: ["comment"],
    about: "discussion",
    entity: numbered("discussion", "discussion.number"),
    byId: discussionById,
    number: ["discussion.number"],
    texts: (payload) => [...line(payload, "discussion.title"), ...markdown(payload, "discussion.body")],
    stood: stateReader({
      entity: firstKey(discussionById, numbered("discussion", "discussion.number")),
      about: "discussion",
      fields: {
        title: "title",
        body: "body",
        state: "state",
        locked: "locked",
        category: "category.name",
        author: "user.login",
      },
      final: true,
    }),
  },
  discussion_comment: {
    has: ["discussion", "comment"],
    about: "comment",
    entity: numbered("discussion", "discussion.number"),
    byId: discussionById,
    title: ["discussion.title"],
    number: ["discussion.number"],
    state: ["discussion.state"],
    texts: (payload) => markdown(payload, "comment.body", "comment"),
    stood: commentState("discussion_comment"),
  },
  label: {
    has: ["label"],
    hasNot: ["issue", "pull_request", "discussion"],
    priority: "low",
    about: "label",
    entity: repository,
  },
  milestone: {
    has: ["milestone"],
    hasNot: ["issue", "pull_request"],
    priority: "low",
    about: "milestone",
    entity: numbered("milestone", "milestone.number"),
    number: ["milestone.number"],
  },
}

// GitHub sends comments on a pull request as comments on the issue of its number.
function isPullRequest(payload: unknown): boolean {
  return isFields(at(payload, "issue.pull_request"))
}

function issueOrPullRequest(payload: unknown): string | null {
  return isPullRequest(payload) ? pullRequestOfIssue(payload) : issue(payload)
}

function issueOrPullRequestById(payload: unknown): string | null {
  return isPullRequest(payload) ? pullRequestOfIssueById(payload) : issueById(payload)
}

function pullRequestOfSameNumber(payload: unknown): Reference[] {
  return isPullRequest(payload) ? sameIssue(payload, "issue.number") : []
}

// These issues may live in a repository other than the event's.
function issueAt(path: string): KeyReader {
  return (payload) => {
    const name = fromApiUrl(at(payload, `${path}.repository_url`))?.repository ?? repositoryOf(payload)
    const number = count(payload, `${path}.number`)
    return name === null || number === null ? null : entityKey.githubIssue(name, number)
  }
}

function issueByIdAt(path: string): KeyReader {
  const byName = issueAt(path)
  const byId = numberedById("issue", `${path}.number`)
  return (payload) => {
    const home = fromApiUrl(at(payload, `${path}.repository_url`))?.repository
    return (home === undefined || home === repositoryOf(payload) ? byId(payload) : null) ?? byName(payload)
  }
}

// A transferred issue goes on under another number in another repository; both tell of the other.
function moved(payload: unknown): Reference[] {
  return ["changes.new_issue", "changes.old_issue"].flatMap((path) =>
    isFields(at(payload, path))
      ? reference(issueAt(path)(payload), "same_as", `${path}.number`, at(payload, `${path}.number`))
      : [],
  )
}

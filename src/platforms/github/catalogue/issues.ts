import { entityKey } from "../../../core/entity-key.ts"
import { stateValue } from "../../../core/entity-state.ts"
import type { EntityState, Reference } from "../../../core/envelope.ts"
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
import { at, count, isRecord, text } from "../read.ts"
import { issueReferences, reference, sameIssue } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { commentState, namesIn, stateReader } from "../states.ts"
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
})

/** Whose part an issue is, which is all that these events tell of it in full. */
function subIssueState(payload: unknown): EntityState | null {
  const removed = text(payload, "action")?.endsWith("_removed") === true
  return stateReader({
    entity: issueByIdAt("sub_issue"),
    about: "sub_issue",
    fields: { parent: () => (removed ? null : stateValue(at(payload, "parent_issue.url"))) },
  })(payload)
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
      const removed = text(payload, "action")?.endsWith("_removed") === true
      const parent = issueAt("parent_issue")(payload)
      return removed ? [] : reference(parent, "parent", "parent", at(payload, "parent_issue.number"))
    },
    stood: subIssueState,
  },
  issue_dependencies: {
    has: ["blocked_issue", "blocking_issue"],
    about: "blocked_issue",
    entity: issueAt("blocked_issue"),
    number: ["blocked_issue.number"],
    references: (payload) => {
      const removed = text(payload, "action")?.endsWith("_removed") === true
      const blocking = issueAt("blocking_issue")(payload)
      return removed
        ? []
        : reference(blocking, "blocked_by", "blocking_issue.number", at(payload, "blocking_issue.number"))
    },
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
  return isRecord(at(payload, "issue.pull_request"))
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
    isRecord(at(payload, path))
      ? reference(issueAt(path)(payload), "same_as", `${path}.number`, at(payload, `${path}.number`))
      : [],
  )
}

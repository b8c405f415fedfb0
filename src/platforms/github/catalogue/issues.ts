import { entityKey } from "../../../core/entity-key.ts"
import type { Reference } from "../../../core/envelope.ts"
import { fromApiUrl, issue, numbered, repository, repositoryOf, type KeyReader } from "../keys.ts"
import { at, count, isRecord, text } from "../read.ts"
import { issueReferences, reference, sameIssue } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { line, markdown } from "../texts.ts"

/** Issues, discussions, and what they are sorted by. */
export const issueShapes: Shapes = {
  issues: {
    has: ["issue", "action"],
    hasNot: ["comment"],
    about: "issue",
    entity: issueOrPullRequest,
    number: ["issue.number"],
    references: (payload) => [
      ...pullRequestOfSameNumber(payload),
      ...issueReferences("issue")(payload),
      ...movedTo(payload),
    ],
    texts: (payload) => [...line(payload, "issue.title"), ...markdown(payload, "issue.body")],
  },
  issue_comment: {
    has: ["issue", "comment"],
    about: "comment",
    entity: issueOrPullRequest,
    title: ["issue.title"],
    number: ["issue.number"],
    state: ["issue.state"],
    references: pullRequestOfSameNumber,
    texts: (payload) => markdown(payload, "comment.body", "comment"),
  },
  sub_issues: {
    has: ["sub_issue", "parent_issue"],
    about: "sub_issue",
    entity: issueAt("sub_issue"),
    number: ["sub_issue.number"],
    references: (payload) => {
      const removed = text(payload, "action")?.endsWith("_removed") === true
      const parent = issueAt("parent_issue")(payload)
      return removed
        ? []
        : reference(parent, "parent", "parent_issue.number", at(payload, "parent_issue.number"))
    },
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
    number: ["discussion.number"],
    texts: (payload) => [...line(payload, "discussion.title"), ...markdown(payload, "discussion.body")],
  },
  discussion_comment: {
    has: ["discussion", "comment"],
    about: "comment",
    entity: numbered("discussion", "discussion.number"),
    title: ["discussion.title"],
    number: ["discussion.number"],
    state: ["discussion.state"],
    texts: (payload) => markdown(payload, "comment.body", "comment"),
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

const pullRequestOfIssue = numbered("pull_request", "issue.number")

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

// A transferred issue goes on under another number in another repository.
function movedTo(payload: unknown): Reference[] {
  return reference(
    issueAt("changes.new_issue")(payload),
    "same_as",
    "changes.new_issue.number",
    at(payload, "changes.new_issue.number"),
  )
}

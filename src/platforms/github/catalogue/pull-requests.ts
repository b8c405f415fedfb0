import { entityKey } from "../../../core/entity-key.ts"
import type { Reference } from "../../../core/envelope.ts"
import { commitKey, firstKey, pullRequest, pullRequestById, repositoryOf, surroundings } from "../keys.ts"
import { at, text } from "../read.ts"
import { pullRequestReferences, reference } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { commentState, namesIn, reviewState, stateReader } from "../states.ts"
import { markdown, pullRequestTexts } from "../texts.ts"

// Bookkeeping around a pull request, as opposed to what moves it along.
const quietActions = new Set([
  "assigned",
  "demilestoned",
  "edited",
  "labeled",
  "locked",
  "milestoned",
  "unassigned",
  "unlabeled",
  "unlocked",
])

const pullRequestState = stateReader({
  entity: firstKey(pullRequestById, pullRequest),
  about: "pull_request",
  fields: {
    title: "title",
    body: "body",
    branch: "head.ref",
    state: "state",
    draft: "draft",
    merged: "merged",
    mergedAt: "merged_at",
    closedAt: "closed_at",
    baseBranch: "base.ref",
    headSha: "head.sha",
    author: "user.login",
    assignee: namesIn("assignees", "login"),
    labels: namesIn("labels", "name"),
    milestone: "milestone.title",
  },
})

/** Pull requests, and reviews and comments, which are about their pull request. */
export const pullRequestShapes: Shapes = {
  pull_request: {
    has: ["number", "pull_request", "action"],
    priority: (_payload, action) => (action !== null && quietActions.has(action) ? "normal" : "high"),
    about: "pull_request",
    entity: pullRequest,
    byId: pullRequestById,
    ref: ["pull_request.head.ref"],
    sha: ["pull_request.head.sha"],
    references: pullRequestReferences("pull_request"),
    texts: pullRequestTexts,
    stood: pullRequestState,
  },
  pull_request_review: {
    has: ["review", "pull_request"],
    priority: "high",
    about: "review",
    entity: pullRequest,
    byId: pullRequestById,
    title: ["pull_request.title"],
    number: ["pull_request.number"],
    ref: ["pull_request.head.ref"],
    sha: ["review.commit_id", "pull_request.head.sha"],
    references: pullRequestReferences("pull_request"),
    texts: (payload) => markdown(payload, "review.body", "review"),
    stood: reviewState,
  },
  pull_request_review_comment: {
    has: ["comment", "pull_request"],
    about: "comment",
    entity: pullRequest,
    byId: pullRequestById,
    title: ["pull_request.title"],
    number: ["pull_request.number"],
    ref: ["pull_request.head.ref"],
    sha: ["comment.commit_id", "pull_request.head.sha"],
    state: ["pull_request.state"],
    references: pullRequestReferences("pull_request"),
    texts: (payload) => markdown(payload, "comment.body", "comment"),
    stood: commentState("pull_request_review_comment"),
  },
  pull_request_review_thread: {
    has: ["thread", "pull_request"],
    about: "thread",
    entity: pullRequest,
    byId: pullRequestById,
    title: ["pull_request.title"],
    url: ["pull_request.html_url"],
    time: ["updated_at", "pull_request.updated_at"],
    number: ["pull_request.number"],
    ref: ["pull_request.head.ref"],
    sha: ["pull_request.head.sha"],
    state: ["pull_request.state"],
    references: pullRequestReferences("pull_request"),
  },
  merge_group: {
    has: ["merge_group"],
    priority: "high",
    about: "merge_group",
    entity: firstKey((payload) => commitKey(at(payload, "merge_group.head_sha")), surroundings),
    title: ["merge_group.head_commit.message"],
    time: ["merge_group.head_commit.timestamp"],
    ref: ["merge_group.head_ref"],
    sha: ["merge_group.head_sha"],
    references: queuedPullRequest,
  },
}

// The only place that names the pull request: refs/heads/gh-readonly-queue/main/pr-104-<sha>.
function queuedPullRequest(payload: unknown): Reference[] {
  const ref = text(payload, "merge_group.head_ref")
  const number = /\/pr-([1-9]\d{0,14})-[0-9a-f]{40}$/.exec(ref ?? "")?.[1]
  const repository = repositoryOf(payload)
  if (number === undefined || repository === null) return []
  return reference(entityKey.githubPullRequest(repository, number), "queues", "merge_group.head_ref", ref)
}

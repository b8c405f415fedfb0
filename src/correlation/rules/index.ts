import type { Rule } from "../rule.ts"
import { branchNamesIssue } from "./branch-names-issue.ts"
import { checkChecks } from "./check-checks.ts"
import { cherryPicks } from "./cherry-picks.ts"
import { commitClosesIssue } from "./commit-closes-issue.ts"
import { commitMergesPullRequest } from "./commit-merges-pull-request.ts"
import { commitOnBranch } from "./commit-on-branch.ts"
import { commitPushedWith } from "./commit-pushed-with.ts"
import { customRelates } from "./custom-relates.ts"
import { deploymentDeploysCommit } from "./deployment-deploys-commit.ts"
import { deploymentShips } from "./deployment-ships.ts"
import { duplicates } from "./duplicates.ts"
import { issueAttachesGithubIssue } from "./issue-attaches-github-issue.ts"
import { issueAttachesMessage } from "./issue-attaches-message.ts"
import { issueAttachesPullRequest } from "./issue-attaches-pull-request.ts"
import { issueBlockedByIssue, issueBlocksIssue } from "./issue-blocks-issue.ts"
import { issueRelatedToIssue } from "./issue-related-to-issue.ts"
import { mention } from "./mention.ts"
import { messageLinksThing } from "./message-links-thing.ts"
import { pullRequestBodyClosesIssue } from "./pull-request-body-closes-issue.ts"
import { pullRequestBranchNamesIssue } from "./pull-request-branch-names-issue.ts"
import { pullRequestContainsCommit } from "./pull-request-contains-commit.ts"
import { pullRequestHeadBranch } from "./pull-request-head-branch.ts"
import { pullRequestLinksIssue } from "./pull-request-links-issue.ts"
import { pullRequestTitleNamesIssue } from "./pull-request-title-names-issue.ts"
import { replyInThread } from "./reply-in-thread.ts"
import { reverts } from "./reverts.ts"
import { sameAs } from "./same-as.ts"
import { threadDiscussesThing } from "./thread-discusses-thing.ts"

/** The rules every hub has, in the order they run. */
export const builtInRules: readonly Rule[] = [
  sameAs,
  pullRequestTitleNamesIssue,
  pullRequestBranchNamesIssue,
  pullRequestBodyClosesIssue,
  pullRequestLinksIssue,
  issueAttachesPullRequest,
  issueAttachesGithubIssue,
  issueAttachesMessage,
  branchNamesIssue,
  pullRequestHeadBranch,
  commitOnBranch,
  pullRequestContainsCommit,
  commitMergesPullRequest,
  commitClosesIssue,
  commitPushedWith,
  reverts,
  cherryPicks,
  duplicates,
  issueBlocksIssue,
  issueBlockedByIssue,
  issueRelatedToIssue,
  checkChecks,
  deploymentDeploysCommit,
  deploymentShips,
  messageLinksThing,
  threadDiscussesThing,
  replyInThread,
  customRelates,
  mention, // reads what the others left
]

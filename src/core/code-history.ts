/** What a push did to a branch or a tag. */
export interface Push {
  /** `owner/name` in lower case. */
  repository: string
  /** `refs/heads/main`. */
  ref: string
  /** Commit that the ref stood on; null where the push made the ref. */
  before: string | null
  /** Commit that it stands on now; null where the push deleted the ref. */
  after: string | null
  /** Whether `before` is no longer part of what the ref holds. */
  forced: boolean
  at: Date
  /** What the ref holds now and did not before, oldest first; a long list may be cut short, or be empty. */
  commits: readonly PushedCommit[]
}

/** One commit of a push. */
export interface PushedCommit {
  /** In lower case. */
  sha: string
  /** The same for commits of one author with one message and the same files: a commit picked or rebased onto another branch. Null where the message is too short to tell. */
  likeness: string | null
}

/** A pull request that was merged, and the commit that brought it to its base: squash, merge, or last of the rebased. */
export interface MergedPullRequest {
  /** Entity key of the pull request. */
  pullRequest: string
  sha: string
  mergedAt: Date
  /** Last commit of its own branch. */
  head: string | null
  /** Its own branch, and the one that it was merged into: `owner/name@refs/heads/main`. */
  headLine: string | null
  baseLine: string | null
}

/** A pull request, or a commit that came by none, as what is deployed may hold it. */
export interface Change {
  /** Entity key: of the pull request where there is one. */
  key: string
  /** All keys of the same thing. */
  keys: ReadonlySet<string>
  mergedAt: Date | null
  mergeCommit: string | null
  /** Commits any of which bring it: the merge or squash, and what was picked or rebased from that. In order. */
  carriers: readonly string[]
  /** Last commit of its own branch, which holds all of it. */
  head: string | null
  /** What takes it out. */
  reverters: Change[]
  /** Merged pull requests on whose own branch it may have been: they take along how it stood there. */
  takenAlongBy: Change[]
  /** Deployments that say they ship it. */
  shippedBy: ReadonlySet<string>
}

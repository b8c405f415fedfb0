/**
 * Canonical entity keys, `platform:kind:id` (a deployment's is `deployment:<id>`). Repository
 * owners and names are case-insensitive at GitHub, and issue keys at Linear, so keys hold one case.
 */
export const entityKey = {
  githubPullRequest: (repository: string, number: number | string) =>
    `github:pull_request:${repository.toLowerCase()}#${number}`,
  githubIssue: (repository: string, number: number | string) =>
    `github:issue:${repository.toLowerCase()}#${number}`,
  githubCommit: (sha: string) => `github:commit:${sha.toLowerCase()}`,
  githubBranch: (repository: string, branch: string) => `github:branch:${repository.toLowerCase()}@${branch}`,
  githubRepository: (repository: string) => `github:repository:${repository.toLowerCase()}`,
  linearIssue: (identifier: string) => `linear:issue:${identifier.toUpperCase()}`,
  slackMessage: (team: string, channel: string, ts: string) => `slack:message:${team}/${channel}/${ts}`,
  deployment: (id: string) => `deployment:${id}`,
} as const

/** `github:pull_request` for `github:pull_request:acme/api#42`; `deployment` for a deployment. */
export function entityKind(key: string): string {
  const [platform, kind] = key.split(":", 2)
  return platform === "deployment" || kind === undefined ? (platform ?? key) : `${platform}:${kind}`
}

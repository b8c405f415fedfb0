import { canonicalEntityKey, entityKey } from "./entity-key.ts"
import { SignalboxError } from "./errors.ts"

/** What a name as people write it may mean. */
export type EntityName =
  | {
      /** Keys that it may stand for, the likeliest first; mostly one. */
      keys: readonly [string, ...string[]]
    }
  | {
      /** The first digits of a commit, in lower case. */
      commit: string
    }

/** The entity behind an address of any platform; null where there is none. */
export type EntityFromUrl = (url: URL) => string | null

const forms = {
  identifier: /^(?=\d*[a-z])[a-z\d]{1,10}-\d{1,9}$/i,
  numbered: /^([\w.-]+\/[\w.-]+)#(\d{1,15})$/,
  wholeCommit: /^(?:[\da-f]{40}|[\da-f]{64})$/i,
  startOfCommit: /^[\da-f]{7,63}$/i,
  address: /^https?:\/\//i,
}

/**
 * Reads a name: `ENG-123`, `acme/api#42` (a pull request or an issue), a commit's SHA or its first seven digits
 * or more, an address of a platform, or a key. Throws `bad_request` with those forms for anything else.
 */
export function readEntityName(text: string, entityFromUrl: EntityFromUrl): EntityName {
  const name = text.trim()
  if (forms.address.test(name)) {
    const url = URL.parse(name)
    const key = url === null ? null : entityFromUrl(url)
    if (key !== null) return { keys: [key] }
    throw new SignalboxError(
      "bad_request",
      `no thing is known by the address ${name.slice(0, 200)}: give that of a pull request, an issue, a commit or a message`,
    )
  }
  if (forms.identifier.test(name)) return { keys: [entityKey.linearIssue(name)] }
  const [, repository = "", number = ""] = forms.numbered.exec(name) ?? []
  if (repository !== "") {
    return {
      keys: [entityKey.githubPullRequest(repository, number), entityKey.githubIssue(repository, number)],
    }
  }
  if (forms.wholeCommit.test(name)) return { keys: [entityKey.githubCommit(name)] }
  if (forms.startOfCommit.test(name)) return { commit: name.toLowerCase() }
  const key = canonicalEntityKey(name)
  if (key !== null) return { keys: [key] }
  throw new SignalboxError(
    "bad_request",
    `${JSON.stringify(name.slice(0, 200))} names nothing: give an issue (ENG-123), a pull request or issue (acme/api#42), a commit (seven digits or more), an address of GitHub, Linear or Slack, or a key (linear:issue:ENG-123)`,
  )
}

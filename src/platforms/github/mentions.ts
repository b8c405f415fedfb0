import { entityKey } from "../../core/entity-key.ts"
import type { Mention, TextField } from "../../core/platform.ts"
import { commitKey, repositoryName } from "./keys.ts"
import { hideQuotations } from "./quotations.ts"

const maxMentions = 200

interface Rule {
  /** Has the group `number`, and perhaps `repository`, or else `sha`; the group `span` is what is shown. */
  pattern: RegExp
  relation: string
  /** What a number stands for. */
  number: "pull_request" | "issue"
  /** Where the words have this meaning; everywhere, if not given. */
  where?: (field: TextField, subject: string | null) => boolean
}

const digits = "(?<number>[1-9]\\d{0,9})"
const target = `(?<![\\w#&/.-])(?<repository>[\\w-]{1,39}/[\\w.-]{1,100})?#${digits}(?![\\w-]|\\.\\d)`

/**
 * In order; what one has read is hidden from the next. `#42` may be a pull request or an issue. Where
 * the words prove the former it is that one's key; else it is the issue's, of which a pull request's
 * own events say that it is the same thing (`same_as`).
 */
const rules: readonly Rule[] = [
  {
    // What GitHub's revert button makes of the title of a squashed pull request.
    pattern: new RegExp(
      `^Revert "[^\\n]*(?<span>\\(#${digits}\\))"(?: \\(#\\d+\\))?[ \\t\\r]*(?=\\n|$)`,
      "dg",
    ),
    relation: "reverts",
    number: "pull_request",
    where: ({ field }) => field === "title" || field === "commit",
  },
  {
    pattern: new RegExp(`^[^\\n]+ (?<span>\\(#${digits}\\))[ \\t\\r]*(?=\\n|$)`, "dg"),
    relation: "squash_of",
    number: "pull_request",
    where: ({ field }) => field === "commit",
  },
  {
    pattern: new RegExp(`^Merge pull request (?<span>#${digits}) from `, "dg"),
    relation: "merge_of",
    number: "pull_request",
    where: ({ field }) => field === "commit",
  },
  {
    pattern: new RegExp(`^[ \\t]*Reverts:?[ \\t]+(?<span>${target})`, "dgim"),
    relation: "reverts",
    number: "pull_request",
    where: speaksForItself,
  },
  {
    pattern: /\breverts commit (?<span>(?<sha>[0-9a-f]{40}))\b/dgi,
    relation: "reverts",
    number: "issue",
    where: speaksForItself,
  },
  {
    // What `git cherry-pick -x` adds to the message, and how people say it of a backport.
    pattern: new RegExp(
      `\\b(?:cherry[- ]?pick(?:ed)?|back-?port(?:ed|s)?)[ \\t]+(?:of|from)[ \\t]+(?:commit[ \\t]+)?(?<span>(?<sha>[0-9a-f]{40}))\\b`,
      "dgi",
    ),
    relation: "cherry_pick_of",
    number: "issue",
    where: speaksForItself,
  },
  {
    pattern: new RegExp(
      `\\b(?:cherry[- ]?pick(?:ed)?|back-?port(?:ed|s)?)[ \\t]+(?:of|from)[ \\t]+(?:PR[ \\t]+|pull request[ \\t]+)?(?<span>${target})`,
      "dgi",
    ),
    relation: "cherry_pick_of",
    number: "pull_request",
    where: speaksForItself,
  },
  {
    // A line of its own, in the words by which GitHub itself marks duplicates.
    pattern: new RegExp(`^[ \\t]*Duplicate of[ \\t]+(?<span>${target})[ \\t.\\r]*$`, "dgim"),
    relation: "duplicates",
    number: "issue",
    where: (_, subject) => /^github:(?:issue|pull_request):/.test(subject ?? ""),
  },
  {
    pattern: new RegExp(`\\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \\t]+(?<span>${target})`, "dgi"),
    relation: "closes",
    number: "issue",
    where: speaksForItself,
  },
  { pattern: new RegExp(`(?<span>${target})`, "dg"), relation: "mentions", number: "issue" },
  {
    pattern: new RegExp(`(?<![\\w/-])(?<span>GH-${digits})(?![\\w-])`, "dg"),
    relation: "mentions",
    number: "issue",
  },
  {
    pattern: /(?<![\w/.-])(?<span>(?<sha>[0-9a-f]{40}))(?![\w-])/dg,
    relation: "mentions",
    number: "issue",
  },
]

/**
 * Mentions in GitHub's own short forms: `#42` where the text tells its repository, `acme/api#42`,
 * `GH-42`, full SHAs, closing keywords, reverts, and the marks of squashes and merges. Code, quoted
 * lines and comments do not count. At most 200, in the order of the text.
 */
export function mentionsIn(field: TextField, subject: string | null): Mention[] {
  if (field.format === "branch" || field.format === "url") return []
  const scope = repositoryOfKey(field.scope) ?? repositoryOfKey(field.subject) ?? repositoryOfKey(subject)
  const mentions: Mention[] = []
  let rest = hideQuotations(field.text, field.format)
  for (const { pattern, relation, number, where } of rules) {
    if (where?.(field, field.subject ?? subject) === false) continue
    for (const match of rest.matchAll(pattern)) {
      if (mentions.length === maxMentions) break
      const entity = entityOf(match.groups ?? {}, number, scope)
      const [start, end] = match.indices?.groups?.["span"] ?? [0, 0]
      if (entity === null) continue
      mentions.push({ entity, relation, text: field.text.slice(start, end), start, end })
      rest = rest.slice(0, start) + " ".repeat(end - start) + rest.slice(end)
    }
  }
  return mentions.toSorted((a, b) => a.start - b.start)
}

function entityOf(
  groups: Readonly<Record<string, string | undefined>>,
  kind: Rule["number"],
  scope: string | null,
): string | null {
  if (groups["sha"] !== undefined) return commitKey(groups["sha"])
  const repository = groups["repository"] === undefined ? scope : repositoryName(groups["repository"])
  if (repository === null || groups["number"] === undefined) return null
  return kind === "pull_request"
    ? entityKey.githubPullRequest(repository, groups["number"])
    : entityKey.githubIssue(repository, groups["number"])
}

// Whoever comments "fixes #4" closes nothing, whichever platform the comment is on.
function speaksForItself({ field }: TextField, subject: string | null): boolean {
  return field !== "comment" && field !== "review" && /^github:(?:pull_request|commit):/.test(subject ?? "")
}

/** `acme/api` of `github:pull_request:acme/api#42`; null for the keys that hold no repository. */
function repositoryOfKey(key: string | null | undefined): string | null {
  return repositoryName(/^github:\w+:([\w.-]+\/[\w.-]+)(?=[#@/]|$)/.exec(key ?? "")?.[1])
}

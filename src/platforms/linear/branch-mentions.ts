import { isStopWord } from "./stop-words.ts"

/** An identifier as found in a text, by its offsets. */
export interface FoundIdentifier {
  identifier: string
  start: number
  end: number
}

const candidate = /(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{0,6})-([1-9]\d{0,6})(?![A-Za-z0-9])/g

/** Branches that machines make; whatever they hold are versions and numbers. */
const machine =
  /^(?:renovate|dependabot|snyk|greenkeeper|gh-readonly-queue|changeset-release|release-please|all-contributors|imgbot|l10n|crowdin|weblate|pre-commit-ci|whitesource)\b/i

/** What may stand before an identifier at the start of a path segment: `fix-`, `issue_`, `1350-`, `revert-12-`. */
const lead =
  /^(?:(?:revert-\d+|\d+|fix|feat|feature|bug|bugfix|hotfix|chore|docs|refactor|test|perf|style|ci|build|issue|task|story|ticket|spike|wip|draft|release|backport|cherry-pick)[-_])+$/i

/** Git hosts allow no longer names; what exceeds it is not read. */
const maxChars = 1024

/**
 * Identifiers in the name of a branch: in any case at the start of a path segment (`eng-123-fix`,
 * `dev/eng-123-fix`, `fix-eng-123`), in upper case anywhere between dashes and underscores.
 */
export function identifiersInBranch(branch: string): FoundIdentifier[] {
  const name = branch.slice(0, maxChars)
  if (machine.test(name.replace(/^(?:refs\/heads\/)?(?:(?:origin|upstream)\/)?/, ""))) return []
  const found: FoundIdentifier[] = []
  for (const match of name.matchAll(candidate)) {
    const [identifier, key = "", number = ""] = match
    const start = match.index
    const end = start + identifier.length
    const rest = name.slice(end)
    if (isStopWord(key) || versionOrDate.test(rest)) continue
    const before = name.slice(name.lastIndexOf("/", start) + 1, start)
    if (key === key.toUpperCase()) {
      if (!/^[-_]?$/.test(before.slice(-1))) continue
    } else {
      if (before !== "" && !lead.test(before)) continue
      // `layout-1` is the whole name of many a branch; an issue in lower case mostly comes with its title.
      if (number.length === 1 && key.length > 4 && !/^[-_][A-Za-z]/.test(rest)) continue
    }
    found.push({ identifier, start, end })
  }
  return found
}

/** The number goes on: `ios-1.57`, `nov-12-2026`, `edge-3-19-1`. */
const versionOrDate = /^(?:\.\w|-\d{3,}(?:$|[/_]|-\d)|-\d+-\d)/

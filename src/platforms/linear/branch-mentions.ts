import { isSerial, isStopWord } from "./stop-words.ts"

/** An identifier as found in a text, by its offsets. */
export interface FoundIdentifier {
  identifier: string
  start: number
  end: number
}

// In capitals a letter may follow that tells a part of the issue: `ENG-725B`.
const candidate =
  /(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{0,6})-([1-9]\d{0,6})(?:(?![A-Za-z0-9])|(?=[A-D](?![\w-])))/g

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
 * `dev/eng-123-fix`, `fix-eng-123`), in upper case anywhere between dashes and underscores, and elsewhere
 * where the number can hardly be anything else (`sam-eng-1234-fix`). Where the teams' keys are known,
 * theirs alone, wherever they stand.
 */
export function identifiersInBranch(branch: string, teamKeys?: ReadonlySet<string>): FoundIdentifier[] {
  const name = branch.slice(0, maxChars)
  if (isMachineBranch(name)) return []
  const found: FoundIdentifier[] = []
  for (const match of name.matchAll(teamKeys === undefined ? candidate : anyCandidate)) {
    const [identifier, key = "", number = ""] = match
    const start = match.index
    const end = start + identifier.length
    const rest = name.slice(end)
    if (versionOrDate.test(rest)) continue
    const before = name.slice(name.lastIndexOf("/", start) + 1, start)
    const counts =
      teamKeys === undefined
        ? !isStopWord(key, number) && isPlausible(key, number, before, rest)
        : teamKeys.has(key.toUpperCase())
    if (counts) found.push({ identifier, start, end })
  }
  return found
}

/** What an identifier of a known team may look like, in any text; a letter may follow that tells a part. */
export const anyCandidate =
  /(?<![A-Za-z0-9])([A-Za-z0-9]{1,7})-([1-9]\d{0,8})(?!\d|[E-Ze-z]|[A-Da-d][A-Za-z0-9])/g

/** Whether a machine made the branch, for an update, a release or a queue. */
function isMachineBranch(name: string): boolean {
  return machine.test(name.replace(/^(?:refs\/heads\/)?(?:(?:origin|upstream)\/)?/, ""))
}

function isPlausible(key: string, number: string, before: string, rest: string): boolean {
  if (key === key.toUpperCase()) return /^[-_]?$/.test(before.slice(-1))
  if (/^[A-D]/.test(rest)) return false
  if (before === "" || lead.test(before)) {
    // `layout-1` is the whole name of many a branch; an issue in lower case mostly comes with its title.
    const isLong = key.length > 5 ? number.length <= 2 : key.length > 4 && number.length === 1
    return !isLong || /^[-_][A-Za-z]/.test(rest)
  }
  // Behind a name or two and before the title; whatever ends a row of words may be one of them: `kiosk-mode-3998`.
  const words = /^[-_]\w/.test(rest) ? fewWords : oneWord
  return /^[a-z]{2,5}$/.test(key) && isSerial(number) && words.test(before)
}

const oneWord = /^[A-Za-z0-9.]+[-_]$/
const fewWords = /^(?:[A-Za-z0-9.]+[-_]){1,2}$/

/** The number goes on: `ios-1.57`, `nov-12-2026`, `edge-3-19-1`. */
const versionOrDate = /^(?:\.\w|-\d{3,}(?:$|[/_]|-\d)|-\d+-\d)/

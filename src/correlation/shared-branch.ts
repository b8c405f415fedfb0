const names = new Set(
  (
    "main master trunk default develop development dev next canary nightly edge latest current staging stage " +
    "production prod live release releases preview alpha beta rc stable qa test testing uat sandbox demo " +
    "integration gh-pages docs hotfix"
  ).split(" "),
)
// The second row is branches that tools use again and again under one name.
const forms =
  /^(?:(?:release|releases|env|envs|environment|environments|deploy|deployment|support|lts|stable|maintenance)[/-]|v?\d+(?:[.-](?:\d+|x))*(?:[.-]stable|[.-]maintenance)?$|changeset-release\/|changesets\/|release-please--|renovate\/|crowdin|l10n|weblate|pre-commit-ci|(?:.+-)?patch-\d+$|revert-\d+$|update-?\d*$)/

/**
 * Whether a branch, by its name, is one that work passes through time and again (`develop`,
 * `release/2.4`, `patch-1`). Such a branch ties together whatever ever passed, so it joins no timeline.
 */
export function isSharedBranch(branch: string): boolean {
  const name = branch.toLowerCase()
  return names.has(name) || forms.test(name)
}

/** The branch's name within its key, `github:branch:acme/api@eng-123-limits`. */
export function branchOfKey(key: string): string {
  return key.slice(key.indexOf("@") + 1)
}

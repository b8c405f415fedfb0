import { expect, it } from "vitest"
import { github } from "../../src/platforms/github/index.ts"

const sha = "0123456789ABCDEF0123456789abcdef01234567"

it.each([
  ["/Acme/API/pull/42", "github:pull_request:acme/api#42"],
  ["/acme/api/pull/42/", "github:pull_request:acme/api#42"],
  ["/acme/api/pull/42/files?w=1#diff-1", "github:pull_request:acme/api#42"],
  [`/acme/api/pull/42/commits/${sha}`, "github:pull_request:acme/api#42"],
  ["/acme/api/pull/42#issuecomment-7", "github:pull_request:acme/api#42"],
  ["/acme/api/pull/42.diff", "github:pull_request:acme/api#42"],
  ["/acme/api/issues/7#issuecomment-1", "github:issue:acme/api#7"],
  [`/acme/api/commit/${sha}`, `github:commit:${sha.toLowerCase()}`],
  [`/acme/api/commit/${sha}.patch`, `github:commit:${sha.toLowerCase()}`],
  [`/acme/api/tree/${sha}`, `github:commit:${sha.toLowerCase()}`],
  ["/acme/api/tree/dev/eng-123-keep", "github:branch:acme/api@dev/eng-123-keep"],
  ["/acme/api/tree/caf%C3%A9", "github:branch:acme/api@café"],
  ["/acme/api/discussions/3", "github:discussion:acme/api#3"],
  ["/acme/api/milestone/3", "github:milestone:acme/api#3"],
  ["/acme/api/actions/runs/920001/job/940001", "github:workflow_run:acme/api/920001"],
  ["/acme/api/runs/900001", "github:check_run:acme/api/900001"],
  ["/acme/api/releases/tag/v1.2.0", "github:tag:acme/api@v1.2.0"],
])("https://github.com%s leads to %s", (path, key) => {
  expect(github.entityFromUrl?.(new URL(`https://github.com${path}`))).toBe(key)
  expect(github.entityFromUrl?.(new URL(`http://www.github.com${path}`))).toBe(key)
})

it.each([
  "https://github.com/",
  "https://github.com/acme",
  "https://github.com/acme/api",
  "https://github.com/acme/api/pulls",
  "https://github.com/acme/api/pull/",
  "https://github.com/acme/api/pull/0",
  "https://github.com/acme/api/pull/new/branch",
  "https://github.com/acme/api/pull/42abc",
  "https://github.com/acme/api/issues/new",
  "https://github.com/acme/api/commit/0123456", // an abbreviation may stand for more than one
  "https://github.com/acme/api/tree/main", // everything is on it sooner or later
  "https://github.com/acme/api/tree/",
  "https://github.com/acme/api/tree/a%00b",
  "https://github.com/acme/api/constructor/1",
  "https://github.com/acme/api/blob/main/README.md",
  "https://github.com/orgs/acme/discussions/5",
  "https://github.com/acme/api%2Fpull/pull/1",
  "https://github.com/%E0%A4%A/api/pull/1",
  "https://gist.github.com/acme/api/pull/1",
  "https://github.com.evil.example/acme/api/pull/1",
  "https://evil.example/github.com/acme/api/pull/1",
  "ftp://github.com/acme/api/pull/1",
])("%s leads nowhere", (address) => {
  expect(github.entityFromUrl?.(new URL(address))).toBeNull()
})

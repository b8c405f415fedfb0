import { expect, test } from "vitest"
import { compilePattern, compileTopic } from "../../src/core/pattern.ts"

test.each([
  ["github.*", "github.push", true],
  ["github.*", "github.pull_request.opened", true],
  ["github.*", "github", false],
  ["github.**", "github", true],
  ["github.**", "github.pull_request.opened", true],
  ["github.**.opened", "github.opened", true],
  ["github.**.opened", "github.pull_request.review.opened", true],
  ["**.opened", "opened", true],
  ["**.opened", "github.pull_request.opened", true],
  ["**.opened", "github.reopened", false],
  ["*.issue.*", "linear.issue.update", true],
  ["*.issue.*", "issue.update", false],
  ["github.pull_*.closed", "github.pull_request.closed", true],
  ["github.pull_*.closed", "github.pull_request.review.closed", false],
  ["**", "anything.at.all", true],
])("of types, %s takes %s: %s", (pattern, type, taken) => {
  expect(compilePattern(pattern)(type)).toBe(taken)
})

test.each([
  ["deploys.*", "deploys.eu", true],
  ["deploys.*", "deploys.eu.prod", false],
  ["*", "deploys", true],
  ["*", "deploys.eu", false],
  ["deploys.**", "deploys", true],
  ["deploys.**", "deploys.eu.prod", true],
  ["deploys.**", "deploys_old", false],
  ["*.eu.*", "deploys.eu.prod", true],
  ["deploys.e*", "deploys.eu", true],
  ["**", "deploys.eu.prod", true],
])("of streams, %s takes %s: %s", (pattern, name, taken) => {
  expect(compileTopic(pattern)(name)).toBe(taken)
})

test.each([
  ["github.pull*", "github.pull", true],
  ["github.*_*_comment.created", "github.pull_request_review_comment.created", true],
  ["github.*_*_comment.created", "github.comment.created", false],
  ["a*b*a", "aba", true],
  ["a*b*a", "abba_ab", false],
  ["**.x.**.z", "x.y.x.y.z", true],
  ["**.x.**.z", "y.z.x", false],
  ["*.**.z", "z", false],
  ["*.**.z", "x.z", true],
])("with stars within, %s takes %s: %s", (pattern, type, taken) => {
  expect(compilePattern(pattern)(type)).toBe(taken)
  expect(compileTopic(pattern)(type)).toBe(taken)
})

test.each([`a${"*".repeat(190)}z`, `${"*a".repeat(95)}*z`, `${"**.".repeat(60)}z`])(
  "%s has its answer at once",
  (pattern) => {
    for (const type of ["a".repeat(200), "a.".repeat(100)]) {
      expect(compilePattern(pattern)(type)).toBe(false)
      expect(compileTopic(pattern)(`${type}z`)).toBe(type.includes(".") === pattern.startsWith("**."))
    }
  },
)

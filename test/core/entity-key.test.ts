import { hash } from "node:crypto"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { canonicalEntityKey, entityKey } from "../../src/core/entity-key.ts"
import { coreOf, secretsByLooks } from "../support/secrets.ts"

test.each([
  ["github:pull_request:Acme/API#42", "github:pull_request:acme/api#42"],
  ["github:issue:Acme/API#7", "github:issue:acme/api#7"],
  [
    "github:commit:ABCDEF0123456789ABCDEF0123456789ABCDEF01",
    "github:commit:abcdef0123456789abcdef0123456789abcdef01",
  ],
  ["github:branch:Acme/API@Feature/X", "github:branch:acme/api@Feature/X"],
  ["github:repository:Acme/API", "github:repository:acme/api"],
  ["github:check_run:Acme/API/123", "github:check_run:acme/api/123"],
  ["GitHub:Pull_Request:acme/api#1", "github:pull_request:acme/api#1"],
  ["linear:issue:eng-123", "linear:issue:ENG-123"],
  [
    "linear:issue_id:5B8A1C3E-0000-4000-8000-00000000ABCD",
    "linear:issue_id:5b8a1c3e-0000-4000-8000-00000000abcd",
  ],
  ["slack:message:T1/C1/1700000000.000100", "slack:message:T1/C1/1700000000.000100"],
  ["deployment:github/123", "deployment:github/123"],
  ["deployment:Blue:Green", "deployment:Blue:Green"],
  ["  acme:order:A:1  ", "acme:order:A:1"],
])("writes %j as %j, whatever case it came in", (given, canonical) => {
  expect(canonicalEntityKey(given)).toBe(canonical)
})

test.each([
  "",
  "ENG-123",
  ":",
  "a:",
  ":b",
  "linear:",
  "github:pull request:1",
  "a:b\nc",
  "a:\0",
  "a:\uD800",
  `a:${"é".repeat(512)}`,
  `github:x:${"İ".repeat(500)}`, // three bytes each, once in lower case
])("refuses %j as no key", (given) => {
  expect(canonicalEntityKey(given)).toBeNull()
})

test("leaves every key of the builders as it is", () => {
  const repository = fc.stringMatching(/^[A-Za-z0-9-]{1,10}\/[A-Za-z0-9._-]{1,10}$/)
  const number = fc.nat(100_000)
  const key = fc.oneof(
    fc.tuple(repository, number).map(([name, n]) => entityKey.githubPullRequest(name, n)),
    fc
      .tuple(repository, fc.stringMatching(/^[A-Za-z0-9/#@._-]{1,20}$/))
      .map(([name, b]) => entityKey.githubBranch(name, b)),
    fc.stringMatching(/^[0-9A-Fa-f]{40}$/).map(entityKey.githubCommit),
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,6}-[1-9][0-9]{0,4}$/).map(entityKey.linearIssue),
    fc.stringMatching(/^[A-Za-z0-9:/._-]{1,30}$/).map(entityKey.deployment),
  )
  fc.assert(
    fc.property(key, (one) => {
      expect(canonicalEntityKey(one)).toBe(one)
    }),
  )
})

test("changes nothing when applied twice", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const once = canonicalEntityKey(text)
      expect(once === null ? null : canonicalEntityKey(once)).toBe(once)
    }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom("github:x", "linear:issue", "slack:message", "deployment", "a:b"),
      fc.string(),
      (start, rest) => {
        const once = canonicalEntityKey(`${start}:${rest}`)
        expect(once === null ? null : canonicalEntityKey(once)).toBe(once)
      },
    ),
  )
})

const secrets = Object.values(secretsByLooks).filter((secret) => !/\s/.test(secret))

test("a key shows of a secret what tells it from others, and nothing else", () => {
  const token = `npm_${"a1B2".repeat(9)}`
  const digest = hash("sha256", token).slice(0, 8)
  const key = `github:branch:acme/api@fix-${token}`
  expect(canonicalEntityKey(key)).toBe(`github:branch:acme/api@fix-[masked:${digest}]`)
  const shown = secrets.map((secret) => canonicalEntityKey(`acme:note:${secret}`) ?? "")
  expect(new Set(shown).size).toBe(secrets.length)
  for (const [index, secret] of secrets.entries()) {
    expect(shown[index]).toContain("[masked:")
    expect(shown[index]).not.toContain(coreOf(secret))
  }
})

test("a key with secrets stays as it is when it is looked up as it was shown", () => {
  const piece = fc.constantFrom(...secrets, "?token=", "://a:", "@", "/", "&", "-", "x", "[masked]")
  fc.assert(
    fc.property(
      fc.constantFrom("acme:note", "github:branch", "linear:issue", "deployment"),
      fc.array(piece),
      (start, pieces) => {
        const once = canonicalEntityKey(`${start}:${pieces.join("")}`)
        expect(once === null ? null : canonicalEntityKey(once)).toBe(once)
      },
    ),
  )
})

import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { KnownNames, TextField } from "../../src/core/platform.ts"
import { mentionsIn } from "../../src/platforms/linear/mentions.ts"

function found(
  format: TextField["format"],
  text: string,
  subject: string | null = null,
  known: KnownNames = {},
): string[] {
  return mentionsIn({ field: "x", format, text }, subject, known).map((mention) => {
    expect(text.slice(mention.start, mention.end)).toBe(mention.text)
    expect(mention.entity).toBe(`linear:issue:${mention.text.toUpperCase()}`)
    return mention.relation === "closes" ? `${mention.text} closes` : mention.text
  })
}

describe("names of branches", () => {
  test.each([
    ["eng-123-fix-login", ["eng-123"]],
    ["dev/eng-123-fix-login", ["eng-123"]],
    ["ENG-123", ["ENG-123"]],
    ["eng-7", ["eng-7"]],
    ["refs/heads/eng-7-fix", ["eng-7"]],
    ["origin/eng-7-fix", ["eng-7"]],
    ["feature/ENG-123_ENG-124_both", ["ENG-123", "ENG-124"]],
    ["dev/eng-123_with_underscores", ["eng-123"]],
    ["dev/fix-eng-123", ["eng-123"]],
    ["1350-ENG-933-day-of-month", ["ENG-933"]],
    ["revert-12-eng-99-fix", ["eng-99"]],
    ["ios-1641-introduce-a-view", ["ios-1641"]],
    ["pla4-12-fix", ["pla4-12"]],
    ["dev-123-add-login", ["dev-123"]],
    ["eng-123-2", ["eng-123"]],
    ["eng-123-2026-roadmap", ["eng-123"]],
    ["sam-eng-1234-fix-login", ["eng-1234"]],
    ["sam/login-eng-1234", ["eng-1234"]],
    ["ENG-725B", ["ENG-725"]],
    ["des-17-colours", ["des-17"]],
    ["sam/docs-11318-quickstart", ["docs-11318"]],
  ])("%s names %j", (branch, expected) => {
    expect(found("branch", branch)).toEqual(expected)
  })

  test.each([
    "main",
    "patch-1",
    "dev-patch-1",
    "layout-2",
    "issue-560/login",
    "gh-843-ui",
    "fix-840/ui",
    "feat-1449/sms",
    "release/ios-1.57.1",
    "setup-ruby-1.269.0",
    "bump-terraform-1.13",
    "node-20",
    "hotfix-3",
    "test-2",
    "renovate/typescript-7.x",
    "renovate/eng-12",
    "dependabot/npm_and_yarn/foo-12",
    "gh-readonly-queue/main/pr-12-ab",
    "nov-12-2026",
    "add-46elks",
    "ENG-0123",
    "abcdefgh-123",
    "cve-2026-1234",
    "v1-2",
    "utf-8-decoder",
    "sam/keep-the-open-tab-4763",
    "fix-roles-404",
    "raise-cap-500",
    "june-6-banner",
    "docs-2",
  ])("%s names nothing", (branch) => {
    expect(found("branch", branch)).toEqual([])
  })

  test("are names, not mentions", () => {
    expect(mentionsIn({ field: "branch", format: "branch", text: "dev/ENG-1-x" }, null)).toEqual([
      { entity: "linear:issue:ENG-1", relation: "names", text: "ENG-1", start: 4, end: 9 },
    ])
  })
})

describe("titles and other plain text", () => {
  test.each([
    ["ENG-123: fix login", ["ENG-123"]],
    ["Fix login (ENG-123)", ["ENG-123"]],
    ["[ENG-123] Fix login", ["ENG-123"]],
    ["fix login [eng-123] (#42)", ["eng-123"]],
    ["feat(eng-123): login", ["eng-123"]],
    ["eng-123 fix login", ["eng-123"]],
    ["feat(web): eng-123-login", ["eng-123"]],
    ["feat/eng-123-login", ["eng-123"]],
    ["dev/eng-123-login (#42)", ["eng-123"]],
    ["ENG-1/ENG-2, PLAT-3", ["ENG-1", "ENG-2", "PLAT-3"]],
    ["ENG-1's login", ["ENG-1"]],
    ["Merge branch 'main' into eng-12-login", ["eng-12"]],
    ["Merge remote-tracking branch 'origin/eng-13-x' into eng-12-login", ["eng-13", "eng-12"]],
    ["Merge branch 'eng-13' of github.com:acme/api into ENG-14", ["eng-13", "ENG-14"]],
    ["Merge pull request #12 from acme/eng-12-login", ["eng-12"]],
    ["Merge origin/main into eng-12-login", ["eng-12"]],
    ["* fix\n* Merge branch 'main' into eng-12-login", ["eng-12"]],
    ["sam-eng-1234-login (#4)", ["eng-1234"]],
    ["WIP: eng-12 login", ["eng-12"]],
    ['Revert "eng-12: login"', ["eng-12"]],
    ["Login [eng-12, eng-13]", ["eng-12", "eng-13"]],
    ["Login\n\neng-12, eng-13\n", ["eng-12", "eng-13"]],
    ["Clean up after eng-123 (#5)", ["eng-123"]],
    ["Rebuild the `eng-12` branch", ["eng-12"]],
    ["chore(sam/eng-12-login): bump", ["eng-12"]],
    ["linear.app/acme/issue/eng-1/login", ["eng-1"]],
    ["DES-40 and SHA-77", ["DES-40", "SHA-77"]],
  ])("%j mentions %j", (text, expected) => {
    expect(found("plain", text)).toEqual(expected)
  })

  test.each([
    "UTF-8",
    "SHA-256",
    "SHA-3",
    "HS-512",
    "LIMIT-1",
    "What is asked\n\n- TL-1 is met\n- AC-12 is not",
    "ICD-10",
    "RTX-4090",
    "Merge step-12 into develop",
    "Boxes of h-9, fixed h-9",
    "sam@box.ENG-1",
    "AES-256",
    "CVE-2025-1234",
    "CVE-2025",
    "GPT-4",
    "OPUS-4",
    "NODE-20",
    "us-EAST-1",
    "ISO-8601",
    "RFC-2119",
    "HTTP-404",
    "[A-Z0-9]",
    "Z0-9",
    "2026-11-21",
    "P-256",
    "X-1",
    "Q4-25",
    "ES6-1",
    "covid-19 page",
    "step-12 of the guide",
    "react-18 upgrade",
    "Add day-30 retention",
    "PHASE-2 rollout",
    "https://example.com/browse/ENG-1",
    "ENG-1@example.com",
    "docs/ENG-12.md",
    "ENG-12.3",
    "ENG-12-34",
    "ENG-012",
    "xENG-1",
    "ENG-1x",
    "_ENG-1",
    "a=ENG-1",
    "look at eng-123",
    "Merge branch 'main' into patch-1",
    "GH-12",
    "ABCDEFGH-1",
    "A-1",
    "1-1",
    "0f3d-4529-bf22",
    "GHSA-32g6-xq36",
    "@eng-12",
    "ENG-12345678",
  ])("%j mentions nothing", (text) => {
    expect(found("plain", text)).toEqual([])
  })
})

describe("magic words", () => {
  test.each([
    ["Fixes ENG-1", ["ENG-1 closes"]],
    ["closing: ENG-1", ["ENG-1 closes"]],
    ["Resolved [ENG-1](…)", ["ENG-1 closes"]],
    ["implements ENG-1", ["ENG-1 closes"]],
    ["Completes issue ENG-1", ["ENG-1 closes"]],
    ["fIxEs eng-1", ["eng-1 closes"]],
    ["Fixes 4U-7", ["4U-7 closes"]],
    ["**Fixes:** ENG-1", ["ENG-1 closes"]],
    ["Closes\n[ENG-6592](https://linear.app/a/issue/ENG-6592)", ["ENG-6592 closes"]],
    ["Closes\r\nENG-1", ["ENG-1 closes"]],
    ["Fixes ENG-1, ENG-2 and PLAT-3, see ENG-9", ["ENG-1 closes", "ENG-2 closes", "PLAT-3 closes", "ENG-9"]],
    ["Fixes:\n- ENG-1 the login\n- ENG-2: the logout\n\nENG-3", ["ENG-1 closes", "ENG-2 closes", "ENG-3"]],
    ["- Fixes ENG-1\n- ENG-2", ["ENG-1 closes", "ENG-2"]],
    ["ENG-1 first, then closes ENG-1", ["ENG-1 closes"]],
    ["does not fix ENG-1", ["ENG-1"]],
    ["doesn't close ENG-1", ["ENG-1"]],
    ["would have fixed ENG-1", ["ENG-1"]],
    ["should not have fixed ENG-1", ["ENG-1"]],
    ["could not have fixed ENG-1, might have closed ENG-2", ["ENG-1", "ENG-2"]],
    ["we have fixed ENG-1", ["ENG-1 closes"]],
    ["Don't skip ENG-1", ["ENG-1"]],
    ["Never ignore ENG-1; skip ENG-2", ["ENG-1"]],
    ["prefixes ENG-1, unresolved ENG-2", ["ENG-1", "ENG-2"]],
    ["Part of eng-1, refs eng-2", ["eng-1", "eng-2"]],
    ["Related to A-1", ["A-1"]],
    ["Fixes\n\nENG-1", ["ENG-1"]],
    ["fixes UTF-8", []],
    ["skip ENG-1", []],
    ["Fixes ENG-1. Ignore ENG-1, ENG-2.", []],
    ["skipping ENG-1 and fixes ENG-2", ["ENG-2 closes"]],
  ])("%j reads as %j", (text, expected) => {
    expect(found("markdown", text)).toEqual(expected)
  })
})

describe("with the teams' keys known", () => {
  const known = { teamKeys: new Set(["ENG", "NODE", "4U"]) }
  test.each<[TextField["format"], string, string[]]>([
    ["branch", "dev/add-the-eng-12-thing", ["eng-12"]],
    ["branch", "web-12-login", []],
    ["branch", "renovate/node-20", []],
    ["branch", "node-20.1", []],
    ["branch", "node-20-fix", ["node-20"]],
    ["plain", "look at eng-12, NODE-20, 4u-7", ["eng-12", "NODE-20", "4u-7"]],
    ["plain", "WEB-1 and UTF-8", []],
    ["plain", "Second half of Eng-12b", ["Eng-12"]],
    ["plain", "eng-12.5 eng-1-2-3 eng-012 xeng-12 eng-12x eng-12.md", []],
    ["plain", "sam@laptop-eng-12.example eng-12@x.example", []],
    ["plain", "Merge branch 'main' into web-eng-12", ["eng-12"]],
    ["markdown", "closes eng-12, eng-13; skip eng-14", ["eng-12 closes", "eng-13 closes"]],
  ])("%s %j names %j", (format, text, expected) => {
    expect(found(format, text, null, known)).toEqual(expected)
  })
})

/** What a reader who knows that ENG is a team takes for mentions. */
const knowingOne = (field: string, format: TextField["format"], text: string) =>
  mentionsIn({ field, format, text }, null, { teamKeys: new Set(["ENG"]) }).map(
    (mention) => `${mention.relation} ${mention.text}`,
  )

describe("with the keys of some teams known", () => {
  test.each<[string, TextField["format"], string, string[]]>([
    ["title", "plain", "OPS-5: limit what ENG-1 does", ["may_name OPS-5", "mentions ENG-1"]],
    ["title", "plain", "ops-5: limit UTF-8 and ISO-8601, [web-12]", []],
    ["title", "plain", "skip OPS-5", []],
    ["branch", "branch", "sam/OPS-5-limits", ["may_name OPS-5"]],
    ["branch", "branch", "sam/ops-5-limits", []],
    ["branch", "branch", "OPS-5-and-eng-1", ["may_name OPS-5", "names eng-1"]],
    ["branch", "branch", "renovate/OPS-5", []],
    ["body", "markdown", "Closes OPS-6, OPS-7", ["may_name OPS-6", "may_name OPS-7"]],
    ["body", "markdown", "Closes ops-6 and see OPS-7", []],
    ["body", "markdown", "Closes UTF-8", []],
    ["body", "markdown", "Part of OPS-6", []],
    ["commit", "plain", "OPS-5: limit\n\nFixes OPS-6", ["may_name OPS-6"]],
  ])("a %s (%s) %j may name others in capitals: %j", (field, format, text, expected) => {
    expect(knowingOne(field, format, text)).toEqual(expected)
  })
})

test("Slack's links are read by their labels, their addresses by whoever owns them", () => {
  expect(
    found("slack", "<https://linear.app/acme/issue/ENG-1/x|ENG-1 Login> and <https://x.example/ENG-2>"),
  ).toEqual(["ENG-1"])
})

test("an address alone is no text", () => {
  expect(found("url", "https://x.example/a?ENG-1")).toEqual([])
})

test("nothing mentions itself", () => {
  expect(found("plain", "ENG-1 and ENG-2", "linear:issue:ENG-1")).toEqual(["ENG-2"])
})

test("spans are right, order is that of the text, and nothing throws, whatever the text", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "ENG-1",
      "eng-22",
      "Fixes ",
      "skip ",
      "\n- ",
      ", ",
      "[",
      "](",
      "```\n",
      "Merge branch '",
      "' into ",
      "/",
      "\uD800",
      "\0",
    ),
    fc.string({ maxLength: 4 }),
  )
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""))
  fc.assert(
    fc.property(
      fc.constantFrom("plain", "markdown", "slack", "branch"),
      text,
      fc.boolean(),
      (format, written, knows) => {
        const known = knows ? { teamKeys: new Set(["WEB"]) } : {}
        const mentions = mentionsIn({ field: "title", format, text: written }, null, known)
        expect(mentions.map(({ start, end }) => written.slice(start, end))).toEqual(
          mentions.map((one) => one.text),
        )
        expect(mentions.map(({ start }) => start)).toEqual(
          mentions.map(({ start }) => start).toSorted((a, b) => a - b),
        )
        expect(new Set(mentions.map(({ entity }) => entity)).size).toBe(mentions.length)
      },
    ),
  )
})

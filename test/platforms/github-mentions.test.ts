import { describe, expect, it } from "vitest"
import type { TextField } from "../../src/core/platform.ts"
import { github } from "../../src/platforms/github/index.ts"

const pullRequest = "github:pull_request:acme/api#1"
const sha = "0123456789abcdef0123456789abcdef01234567"

function mentions(
  text: string,
  field: Partial<TextField> = {},
  subject: string | null = pullRequest,
): string[] {
  const given: TextField = { field: "body", format: "markdown", text, ...field }
  return (github.mentionsIn?.(given, subject) ?? []).map(({ relation, entity }) => `${relation} ${entity}`)
}

const commit = {
  field: "commit",
  format: "plain",
  subject: `github:commit:${sha}`,
  scope: "github:repository:acme/api",
} as const
const title = { field: "title", format: "plain" } as const

describe("a number", () => {
  it.each([
    ["#42", ["mentions github:issue:acme/api#42"]],
    ["see #42, #43.", ["mentions github:issue:acme/api#42", "mentions github:issue:acme/api#43"]],
    ["(#42)", ["mentions github:issue:acme/api#42"]],
    ["Acme/Web#7", ["mentions github:issue:acme/web#7"]],
    ["GH-42", ["mentions github:issue:acme/api#42"]],
    ["[#42](https://example.com/#9)", ["mentions github:issue:acme/api#42"]],
    ["#0", []],
    ["#042", []],
    ["#42nd", []],
    ["#4.2", []],
    ["abc#42", []],
    ["&#42;", []],
    ["a/b/c#42", []],
    ["HIGH-42", []],
    ["https://example.com/page#42", []],
  ])("%j is read as what GitHub reads", (text, expected) => {
    expect(mentions(text)).toEqual(expected)
  })

  it("of a text that belongs to no repository means nothing, and one with its repository does", () => {
    expect(mentions("#42 and acme/api#42", {}, "linear:issue:ENG-1")).toEqual([
      "mentions github:issue:acme/api#42",
    ])
    expect(mentions("#42", {}, null)).toEqual([])
    expect(mentions("#42", {}, `github:commit:${sha}`)).toEqual([])
  })

  it("belongs to the repository of its text's scope, before that of the event's subject", () => {
    const scoped = { scope: "github:repository:acme/web" }
    expect(mentions("#42", scoped)).toEqual(["mentions github:issue:acme/web#42"])
    expect(mentions("#42", { subject: "github:branch:acme/app@fix" })).toEqual([
      "mentions github:issue:acme/app#42",
    ])
  })

  it("in the name of a branch is nobody's", () => {
    expect(mentions("fix/#42", { field: "branch", format: "branch" })).toEqual([])
  })
})

describe("a closing word", () => {
  it.each(["close", "Closes", "CLOSED", "fix", "fixes", "fixed", "resolve", "resolves", "Resolved:"])(
    "%s closes",
    (word) => {
      expect(mentions(`${word} #4`)).toEqual(["closes github:issue:acme/api#4"])
    },
  )

  it("holds for the number beside it alone, in whichever repository", () => {
    expect(mentions("Fixes acme/web#4, #5; unclosed #6")).toEqual([
      "closes github:issue:acme/web#4",
      "mentions github:issue:acme/api#5",
      "mentions github:issue:acme/api#6",
    ])
  })

  it("closes nothing where only somebody talks", () => {
    expect(mentions("fixes #4", { field: "comment" })).toEqual(["mentions github:issue:acme/api#4"])
    expect(mentions("fixes #4", { field: "review" })).toEqual(["mentions github:issue:acme/api#4"])
    expect(mentions("fixes acme/api#4", { format: "slack" }, "slack:message:T/C/1")).toEqual([
      "mentions github:issue:acme/api#4",
    ])
  })
})

describe("a commit's first line", () => {
  it.each([
    ["Keep sessions (#42)", ["squash_of github:pull_request:acme/api#42"]],
    [
      "Keep sessions (#42)\r\n\r\nSee #3",
      ["squash_of github:pull_request:acme/api#42", "mentions github:issue:acme/api#3"],
    ],
    ["Fix (#41) (#42)", ["mentions github:issue:acme/api#41", "squash_of github:pull_request:acme/api#42"]],
    ["Keep sessions\n\n(#42)", ["mentions github:issue:acme/api#42"]],
    ["Merge pull request #42 from acme/fix\n\nTitle", ["merge_of github:pull_request:acme/api#42"]],
    [
      'Revert "Keep sessions (#42)" (#44)',
      ["reverts github:pull_request:acme/api#42", "squash_of github:pull_request:acme/api#44"],
    ],
    [
      'Revert "Revert "Keep sessions (#42)" (#44)" (#45)',
      [
        "mentions github:issue:acme/api#42",
        "reverts github:pull_request:acme/api#44",
        "squash_of github:pull_request:acme/api#45",
      ],
    ],
    [`Undo\n\nThis reverts commit ${sha}.`, [`reverts github:commit:${sha}`]],
    [`(cherry picked from commit ${sha})`, [`cherry_pick_of github:commit:${sha}`]],
    ["Backport of #42: keep sessions", ["cherry_pick_of github:pull_request:acme/api#42"]],
    ["cherry-picked from acme/web#42", ["cherry_pick_of github:pull_request:acme/web#42"]],
  ])("%j is understood", (text, expected) => {
    expect(mentions(text, commit, null)).toEqual(expected)
  })

  it("is no first line in a title, which ends in a number for other reasons", () => {
    expect(mentions("Backport of sessions (#42)", title)).toEqual(["mentions github:issue:acme/api#42"])
  })
})

describe("a revert", () => {
  it("is told by its title and by its body", () => {
    expect(mentions('Revert "Keep sessions (#42)"', title)).toEqual([
      "reverts github:pull_request:acme/api#42",
    ])
    expect(mentions("Reverts acme/api#42")).toEqual(["reverts github:pull_request:acme/api#42"])
    expect(mentions("Because.\n\nReverts #42")).toEqual(["reverts github:pull_request:acme/api#42"])
  })

  it("is none where somebody says that something reverts", () => {
    expect(mentions("I think this reverts #42")).toEqual(["mentions github:issue:acme/api#42"])
    expect(mentions("Reverts #42", { field: "comment" })).toEqual(["mentions github:issue:acme/api#42"])
  })
})

describe("what is shown and not said", () => {
  it.each([
    ["code", "`#42`"],
    ["double code", "``fixes `#42` ``"],
    ["a quoted line", "> fixes #42"],
  ])("%s mentions nothing", (_, text) => {
    expect(mentions(text)).toEqual([])
    expect(mentions(`#1\n${text}`)).toEqual(["mentions github:issue:acme/api#1"])
  })

  it("ends where it ends", () => {
    expect(mentions("`<!--` #2\n\n> #3\n\n#4 `#5` #6")).toEqual(
      [2, 4, 6].map((number) => `mentions github:issue:acme/api#${number}`),
    )
  })

  it("is not hidden in plain text, where a backtick is a backtick", () => {
    expect(mentions("`#42`", title)).toEqual(["mentions github:issue:acme/api#42"])
  })

  it("in Slack is code, quotes and links", () => {
    const slack = { field: "message", format: "slack" } as const
    expect(
      mentions("`acme/api#1` <https://x.example|acme/api#2> acme/api#3\n&gt; acme/api#4", slack, null),
    ).toEqual(["mentions github:issue:acme/api#3"])
  })
})

it("a mention after what is hidden stands where the text has it", () => {
  const text = "> quoted\n`code` see https://example.com and fixes #42"
  const found = github.mentionsIn?.({ field: "body", format: "markdown", text }, pullRequest) ?? []
  expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(["#42"])
  expect(found.map(({ text: shown }) => shown)).toEqual(["#42"])
})

it("a mention shows the words and where they stand, 🏴 and all", () => {
  const text = "🏴 Closes #42"
  const [mention] = github.mentionsIn?.({ field: "body", format: "markdown", text }, pullRequest) ?? []
  expect(mention).toEqual({
    entity: "github:issue:acme/api#42",
    relation: "closes",
    text: "#42",
    start: 10,
    end: 13,
  })
})

it("at most 200 mentions are taken of one text", () => {
  expect(mentions("#1 ".repeat(5_000))).toHaveLength(200)
})

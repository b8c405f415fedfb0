import { describe, expect, it } from "vitest"
import type { TextField } from "../../src/core/platform.ts"
import { createExtractor } from "../../src/correlation/extract-record.ts"
import { unreadMentions } from "../../src/correlation/unread.ts"
import { platforms } from "../../src/platforms/index.ts"

const eng = { teamKeys: new Set(["ENG"]) }

/** Why the body of a pull request that names an issue does not mention it: `kind "words"` for each place. */
async function why(
  text: string,
  identifier: string,
  known = {},
  format: TextField["format"] = "markdown",
): Promise<string[]> {
  const targets = [`linear:issue:${identifier}`]
  const found = await unreadMentions(
    platforms,
    { field: "body", format, text },
    "github:pull_request:acme/api#1",
    targets,
    { known },
  )
  for (const { text: words, start, end } of found) expect(text.slice(start, end)).toBe(words)
  return found.map(({ kind, text: words }) => `${kind} ${JSON.stringify(words)}`)
}

describe("a name that is joined to other characters", async () => {
  it.each(["fooENG-126", "XENG-126", "see ENG-126x.", "xeng-126", "x-ENG-126.md", "fooENG-126, barENG-126"])(
    "is told in %j, where a name of the team would be read",
    async (text) => {
      const [first = ""] = await why(text, "ENG-126", eng)
      expect(first).toMatch(/^joined "(?:ENG|eng)-126"$/)
    },
  )

  it.each(["ENG-1267", "xENG-1267", "acme/web#42"])("is not made up of %j", async (text) => {
    expect(await why(text, "ENG-126", eng)).toEqual([])
    expect(await why(text, "ENG-126")).toEqual([])
  })

  it("is not made up where it is read as the name of something else", async () => {
    expect(await why("XENG-126", "ENG-126")).toEqual([])
    expect(await why("Fixes XENG-126", "ENG-126", { teamKeys: new Set(["ENG", "XENG"]) })).toEqual([])
  })

  it("hides no place that tells more", async () => {
    expect((await why("aENG-126 bENG-126 cENG-126 skip ENG-126", "ENG-126", eng))[0]).toBe(
      'skip_word "skip ENG-126"',
    )
  })
})

describe("a name that is asked not to be linked", async () => {
  it.each([
    ["skip ENG-141, ENG-142", "skip ENG-141, ENG-142"],
    ["Please skip ENG-141 and ENG-142.", "skip ENG-141 and ENG-142"],
    ["ignores: ENG-139, ENG-140, ENG-141, ENG-142", "ignores: ENG-139, ENG-140, ENG-141, ENG-142"],
    ["skip ENG-142", "skip ENG-142"],
    ["We skip\n- ENG-141 for now\n- ENG-142", "skip\n- ENG-141 for now\n- ENG-142"],
  ])("in %j is shown with the word that asks it", async (text, words) => {
    expect(await why(text, "ENG-142")).toEqual([`skip_word ${JSON.stringify(words)}`])
    expect(await why(text, "ENG-142", eng)).toEqual([`skip_word ${JSON.stringify(words)}`])
  })

  it("is shown with that word over a list of many", async () => {
    const list = `skip ${Array.from({ length: 42 }, (_, index) => `ENG-${101 + index}`).join(", ")}`
    expect(await why(list, "ENG-142")).toEqual([`skip_word ${JSON.stringify(list)}`])
  })

  it("is shown with that word where an address names it", async () => {
    const text = "skip https://linear.app/acme/issue/ENG-142"
    expect(await why(text, "ENG-142")).toEqual([`skip_word ${JSON.stringify(text)}`])
  })
})

it("a name that is skipped more than once is told so wherever it stands", async () => {
  const far = "and so on, ".repeat(100)
  for (const text of ["skip ENG-1. Again: skip ENG-1", `skip ENG-1 ${far} skip ENG-1`]) {
    expect(await why(text, "ENG-1", eng)).toEqual(['skip_word "skip ENG-1"', 'skip_word "skip ENG-1"'])
  }
  expect(await why("skip ENG-1, ENG-1", "ENG-1")).toEqual([
    'skip_word "skip ENG-1"',
    'skip_word "skip ENG-1, ENG-1"',
  ])
})

it("a name that is closed at one place and skipped at another is shown with the word that skips it", async () => {
  for (const text of ["Fixes ENG-750\nskip ENG-750", "skip ENG-750\nFixes ENG-750"]) {
    expect(await why(text, "ENG-750", eng)).toEqual(['skip_word "skip ENG-750"'])
  }
})

it("a branch asks nothing of the sort", async () => {
  expect(await why("renovate/ENG-142", "ENG-142", eng, "branch")).toEqual(['joined "ENG-142"'])
  expect(await why("skip-eng-142x", "ENG-142", eng, "branch")).toEqual(['joined "eng-142"'])
})

describe("a name whose key is no team's for all that is known", async () => {
  it.each([
    ["Fixes ABC-12", "ABC-12", {}],
    ["Fixes ABC-12", "ABC-12", eng],
    ["Part of UTF-8", "UTF-8", eng],
    ["First line\n\nand TL-1", "TL-1", {}],
  ])("is told so where the key is mostly something else's: %j", async (text, identifier, known) => {
    expect(await why(text, identifier, known)).toEqual([`reserved_key ${JSON.stringify(identifier)}`])
    const teamKeys = new Set(["ENG", identifier.slice(0, identifier.indexOf("-"))])
    expect(await why(text, identifier, { teamKeys })).toEqual([])
  })

  it.each(["Part of WEB-12", "see web-12 there"])("is told so where it may be a team's: %j", async (text) => {
    expect(await why(text, "WEB-12", eng)).toEqual([expect.stringMatching(/^unknown_team "web-12"$/i)])
  })

  it("is not told so where more keeps it from being read", async () => {
    expect(await why("see eng-126 there", "ENG-126")).toEqual(['lower_case "eng-126"'])
    expect(await why("skip ABC-12", "ABC-12", { teamKeys: new Set(["ABC"]) })).toEqual([
      'skip_word "skip ABC-12"',
    ])
  })
})

describe("a name whose team is not known", () => {
  const text = "```\nZED-20\n```\nskip ZED-21 ~~ZED-22~~ xZED-23"
  it.each([
    ["ZED-20", 'quoted "ZED-20"', text],
    ["ZED-21", 'skip_word "skip ZED-21"', text],
    ["ZED-22", 'quoted "ZED-22"', text],
    ["ZED-23", 'joined "ZED-23"', text],
    ["ABC-12", 'skip_word "skip ABC-12"', "skip ABC-12"],
    ["WEB-11", 'skip_word "skip web-11"', "skip web-11"],
    ["ENG-131", 'quoted "ENG-131"', "~~ENG-131~~"],
  ])("is told with the reason that remains once it is: %s", async (identifier, told, said) => {
    const key = identifier.slice(0, 3)
    for (const known of [{}, eng, { teamKeys: new Set(["ENG", key]) }]) {
      expect(await why(said, identifier, known)).toEqual([told])
    }
  })
})

describe("a name that is shown and not said", () => {
  const web = { teamKeys: new Set(["ENG", "WEB"]) }
  it.each([
    ["```\nWEB-11\n```", "WEB-11", eng],
    ["<!-- WEB-11 -->", "WEB-11", eng],
    ["~~WEB-11~~", "WEB-11", eng],
    ["<!-- e.g. ABC-12 -->", "ABC-12", {}],
    ["Limits:\n\n```\nABC-11\n```", "ABC-11", eng],
    ["```\nfooENG-11\n```", "ENG-11", eng],
    ["<!-- fooENG-11 -->", "ENG-11", eng],
    ["```\nskip ENG-11\n```", "ENG-11", eng],
    ["~~see eng-11~~", "ENG-11", {}],
  ])("is told so, whatever else keeps it from being read: %j", async (text, identifier, known) => {
    expect(await why(text, identifier, known)).toEqual([expect.stringMatching(/^quoted "\w+-\d+"$/)])
  })

  it("is told of beside one that is said", async () => {
    expect(await why("```\nENG-11\n```\nxENG-11", "ENG-11", {})).toEqual(['quoted "ENG-11"'])
    expect(await why("```\nENG-11x\n```\nxENG-11", "ENG-11", eng)).toEqual([
      'quoted "ENG-11"',
      'joined "ENG-11"',
    ])
    expect(await why("```\nx\n```\nfooENG-11", "ENG-11", eng)).toEqual(['joined "ENG-11"'])
  })

  it.each(["> WEB-11", "`WEB-11`", "WEB-11", "```\nx\n``` \nWEB-11"])(
    "is no such as %j, which is read once the team is known",
    async (text) => {
      expect(await why(text, "WEB-11", eng)).toEqual(['unknown_team "WEB-11"'])
      const extract = createExtractor(platforms, web)
      expect(extract({ id: 1, body: text })).toMatchObject([{ entity: "linear:issue:WEB-11" }])
    },
  )
})

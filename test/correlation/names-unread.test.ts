import { describe, expect, it } from "vitest"
import type { TextField } from "../../src/core/platform.ts"
import { unreadMentions } from "../../src/correlation/unread.ts"
import { platforms } from "../../src/platforms/index.ts"

const eng = { teamKeys: new Set(["ENG"]) }

/** Why the body of a pull request that names an issue does not mention it: `kind "words"` for each place. */
function why(text: string, identifier: string, known = {}, format: TextField["format"] = "markdown") {
  const targets = [`linear:issue:${identifier}`]
  const found = unreadMentions(
    platforms,
    { field: "body", format, text },
    "github:pull_request:acme/api#1",
    targets,
    known,
  )
  for (const { text: words, start, end } of found) expect(text.slice(start, end)).toBe(words)
  return found.map(({ kind, text: words }) => `${kind} ${JSON.stringify(words)}`)
}

describe("a name that is joined to other characters", () => {
  it.each(["fooENG-126", "XENG-126", "see ENG-126x.", "xeng-126", "x-ENG-126.md", "fooENG-126, barENG-126"])(
    "is told in %j, where a name of the team would be read",
    (text) => {
      const [first = ""] = why(text, "ENG-126", eng)
      expect(first).toMatch(/^joined "(?:ENG|eng)-126"$/)
    },
  )

  it.each(["ENG-1267", "xENG-1267", "acme/web#42"])("is not made up of %j", (text) => {
    expect(why(text, "ENG-126", eng)).toEqual([])
    expect(why(text, "ENG-126")).toEqual([])
  })

  it("is not made up where it is read as the name of something else", () => {
    expect(why("XENG-126", "ENG-126")).toEqual([])
    expect(why("Fixes XENG-126", "ENG-126", { teamKeys: new Set(["ENG", "XENG"]) })).toEqual([])
  })

  it("hides no place that tells more", () => {
    expect(why("aENG-126 bENG-126 cENG-126 skip ENG-126", "ENG-126", eng)[0]).toBe('skip_word "skip ENG-126"')
  })
})

describe("a name that is asked not to be linked", () => {
  it.each([
    ["skip ENG-141, ENG-142", "skip ENG-141, ENG-142"],
    ["Please skip ENG-141 and ENG-142.", "skip ENG-141 and ENG-142"],
    ["ignores: ENG-139, ENG-140, ENG-141, ENG-142", "ignores: ENG-139, ENG-140, ENG-141, ENG-142"],
    ["skip ENG-142", "skip ENG-142"],
    ["We skip\n- ENG-141 for now\n- ENG-142", "skip\n- ENG-141 for now\n- ENG-142"],
  ])("in %j is shown with the word that asks it", (text, words) => {
    expect(why(text, "ENG-142")).toEqual([`skip_word ${JSON.stringify(words)}`])
    expect(why(text, "ENG-142", eng)).toEqual([`skip_word ${JSON.stringify(words)}`])
  })

  it("is shown with that word over a list of many", () => {
    const list = `skip ${Array.from({ length: 42 }, (_, index) => `ENG-${101 + index}`).join(", ")}`
    expect(why(list, "ENG-142")).toEqual([`skip_word ${JSON.stringify(list)}`])
  })

  it("is shown with that word where an address names it", () => {
    const text = "skip https://linear.app/acme/issue/ENG-142"
    expect(why(text, "ENG-142")).toEqual([`skip_word ${JSON.stringify(text)}`])
  })
})

it("a name that is skipped more than once is told so wherever it stands", () => {
  const far = "and so on, ".repeat(100)
  for (const text of ["skip ENG-1. Again: skip ENG-1", `skip ENG-1 ${far} skip ENG-1`]) {
    expect(why(text, "ENG-1", eng)).toEqual(['skip_word "skip ENG-1"', 'skip_word "skip ENG-1"'])
  }
  expect(why("skip ENG-1, ENG-1", "ENG-1")).toEqual([
    'skip_word "skip ENG-1"',
    'skip_word "skip ENG-1, ENG-1"',
  ])
})

it("a branch asks nothing of the sort", () => {
  expect(why("renovate/ENG-142", "ENG-142", eng, "branch")).toEqual(['joined "ENG-142"'])
  expect(why("skip-eng-142x", "ENG-142", eng, "branch")).toEqual(['joined "eng-142"'])
})

describe("a name whose key is no team's for all that is known", () => {
  it.each([
    ["Fixes ABC-12", "ABC-12", {}],
    ["Fixes ABC-12", "ABC-12", eng],
    ["Part of UTF-8", "UTF-8", eng],
    ["First line\n\nand TL-1", "TL-1", {}],
  ])("is told so where the key is mostly something else's: %j", (text, identifier, known) => {
    expect(why(text, identifier, known)).toEqual([`reserved_key ${JSON.stringify(identifier)}`])
    const teamKeys = new Set(["ENG", identifier.slice(0, identifier.indexOf("-"))])
    expect(why(text, identifier, { teamKeys })).toEqual([])
  })

  it.each(["Part of WEB-12", "see web-12 there"])("is told so where it may be a team's: %j", (text) => {
    expect(why(text, "WEB-12", eng)).toEqual([expect.stringMatching(/^unknown_team "web-12"$/i)])
  })

  it("is not told so where more keeps it from being read", () => {
    expect(why("see eng-126 there", "ENG-126")).toEqual(['lower_case "eng-126"'])
    expect(why("skip ABC-12", "ABC-12", { teamKeys: new Set(["ABC"]) })).toEqual(['skip_word "skip ABC-12"'])
  })
})

import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { TextField } from "../../src/core/platform.ts"
import { findUrls } from "../../src/correlation/find-urls.ts"

const hrefs = (text: string, format: TextField["format"] = "markdown") =>
  findUrls(text, format).map(({ href }) => href)

const pr = "https://github.com/acme/api/pull/42"

describe("a URL is found as its writer meant it", () => {
  it.each([
    ["bare", `see ${pr} there`],
    ["at the end of a sentence", `see ${pr}.`],
    ["before a comma", `${pr}, and more`],
    ["in parentheses", `(${pr})`],
    ["in quotes", `"${pr}"`],
    ["in single quotes", `'${pr}'`],
    ["in bold", `**${pr}**`],
    ["in italics", `_${pr}_`],
    ["as an autolink", `<${pr}>`],
    ["as a Markdown link", `[the PR](${pr})`],
    ["as a Markdown link with a title", `[the PR](${pr} "title")`],
    ["as a Markdown link in angle brackets", `[the PR](<${pr}>)`],
    ["as a Markdown link broken over lines", `[the\nPR](\n  ${pr}\n)`],
    ["as a Markdown definition", `[pr]: ${pr}`],
    ["in HTML", `<a href="${pr}">the PR</a>`],
    ["before a full stop of another script", `見て ${pr}。`],
    ["before a letter of another script", `見て${pr}を`],
    ["with an exclamation", `${pr}!?`],
    ["before a closing brace", `{${pr}}`],
    ["in a table", `|${pr}|`],
    ["in code", `\`${pr}\``],
    ["before an escaped line break", `${pr}\\nmore`],
  ])("%s", (_, text) => {
    expect(hrefs(text)).toEqual([pr])
  })

  it("keeps the brackets that it opened itself", () => {
    expect(hrefs("(https://x.org/a_(b)) and https://x.org/[c]")).toEqual([
      "https://x.org/a_(b)",
      "https://x.org/[c]",
    ])
  })

  it("keeps query and fragment", () => {
    expect(hrefs(`${pr}?a=1&b=2#issuecomment-1.`)).toEqual([`${pr}?a=1&b=2#issuecomment-1`])
  })

  it("reads one address where another is in its query", () => {
    expect(hrefs("https://x.org/?to=https://y.org/z")).toEqual(["https://x.org/?to=https://y.org/z"])
  })

  it("finds both where the label is an address too", () => {
    expect(hrefs(`[${pr}](${pr})`)).toEqual([pr, pr])
  })

  it("takes no other scheme and no empty address", () => {
    expect(hrefs("javascript:alert(1) ftp://x.org http:// https://, mailto:a@b.c")).toEqual([])
  })

  it("passes over what is too long to be an address", () => {
    expect(hrefs(`https://x.org/${"a".repeat(3000)} ${pr}`)).toEqual([pr])
  })
})

describe("Slack's own form is undone", () => {
  it.each([
    [`<${pr}>`, pr],
    [`<${pr}|the &lt;PR&gt;>`, pr],
    ["<https://x.org/?a=1&amp;b=2|x>", "https://x.org/?a=1&b=2"],
    ["<https://x.org/?a=&amp;lt;|x>", "https://x.org/?a=&lt;"],
    [`${pr}&gt; more`, pr],
    [`${pr}.`, pr],
    [`<${pr}`, pr], // never closed
    [`<${pr}?a=(b|label>`, `${pr}?a=(b`],
  ])("%s", (text, href) => {
    expect(hrefs(text, "slack")).toEqual([href])
  })

  it("tells where the whole link stands", () => {
    const text = `Closes <${pr}|#42>, done`
    expect(findUrls(text, "slack")).toEqual([
      { href: pr, start: 8, end: 8 + pr.length, outerStart: 7, outerEnd: text.indexOf(",") },
    ])
  })
})

describe("the link around an address is known", () => {
  it.each([
    [`a [b](${pr}) c`, `[b](${pr})`],
    [`a [b [c] d](${pr}) e`, `[b [c] d](${pr})`],
    [`a [b](<${pr}>) c`, `[b](<${pr}>`],
    [`a <${pr}> c`, `<${pr}>`],
    [`a <a class=x href="${pr}">c</a>`, `<a class=x href="${pr}"`],
    [`a ${pr} c`, pr],
    [`a (${pr}) c`, pr],
  ])("%s", (text, outer) => {
    const [url] = findUrls(text, "markdown")
    expect(text.slice(url?.outerStart, url?.outerEnd)).toBe(outer)
  })
})

const piece = fc.constantFrom(
  "https://",
  "http://",
  pr,
  "<",
  ">",
  "|",
  "[",
  "](",
  ")",
  "(",
  "&amp;",
  "&gt;",
  " ",
  "\n",
  ".",
  "'",
  '"',
  'href="',
  "é",
  "\ud83d",
  "a",
)

it("spans lie in the text, in order, without overlap, whatever the text", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
      fc.constantFrom<TextField["format"]>("plain", "markdown", "slack"),
      (text, format) => {
        let last = 0
        for (const { href, start, end, outerStart, outerEnd } of findUrls(text, format)) {
          expect(start).toBeGreaterThanOrEqual(last)
          expect(outerStart).toBeLessThanOrEqual(start)
          expect(outerEnd).toBeGreaterThanOrEqual(end)
          expect(outerEnd).toBeLessThanOrEqual(text.length)
          expect(text.slice(start, end)).toMatch(/^https?:\/\/[^\s]/i)
          expect(format === "slack" ? href : text.slice(start, end)).toBe(href)
          last = end
        }
      },
    ),
  )
})

import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Platform, TextField } from "../../src/core/platform.ts"
import { isClosedAt, isListGap } from "../../src/correlation/closing-word.ts"
import { splitQuoted } from "../../src/correlation/split-quoted.ts"
import { maxReferences } from "../../src/correlation/references.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { linear } from "../../src/platforms/linear/index.ts"
import { correlate, eventOf, normalizedOf, shortReferences } from "./support.ts"

const pullRequest = "github:pull_request:acme/api#50"
const issueUrl = "https://linear.app/acme/issue/ENG-123/add-limits"

function read(text: string, given: Partial<TextField> = {}): string[] {
  const field: TextField = { field: "body", format: "markdown", text, ...given }
  return shortReferences(correlate({ entity: pullRequest, texts: [field] }))
}

describe("a text's references", () => {
  it("are by address, whatever the platform", () => {
    expect(read(`${issueUrl} https://github.com/acme/web/pull/7/files https://example.org/ENG-9`)).toEqual([
      `mentions linear:issue:ENG-123 "${issueUrl}" in body`,
      'mentions github:pull_request:acme/web#7 "https://github.com/acme/web/pull/7/files" in body',
    ])
  })

  it("are by short name", () => {
    expect(read("ENG-123 and acme/web#7")).toEqual([
      'mentions linear:issue:ENG-123 "ENG-123" in body',
      'mentions github:issue:acme/web#7 "acme/web#7" in body',
    ])
  })

  it.each(["\u2010", "\u2011"])("are by short name with the hyphen %j, and shown as they stand", (hyphen) => {
    const written = `ENG${hyphen}226`
    const field: TextField = { field: "body", format: "markdown", text: `\u{1F680} Fixes ${written} now` }
    const { references } = correlate({ entity: pullRequest, texts: [field] })
    const evidence = { field: "body", text: written, start: 9, end: 16 }
    expect(references).toMatchObject([{ entity: "linear:issue:ENG-226", relation: "closes", evidence }])
    expect(field.text.slice(evidence.start, evidence.end)).toBe(written)
    expect(read(`eng${hyphen}226-limits`, { field: "branch", format: "branch" })).toEqual([
      `names linear:issue:ENG-226 "eng${hyphen}226" in branch`,
    ])
  })

  it("are by address as it is written, whatever its hyphens", () => {
    const url = "https://github.com/acme/web\u2011app/pull/7"
    expect(read(`${url} ENG\u20111`)).toEqual(['mentions linear:issue:ENG-1 "ENG\u20111" in body'])
  })

  it.each([
    `Closes ${issueUrl}`,
    `fixes: ${issueUrl}`,
    `**Resolves** ${issueUrl}`,
    `Closes [ENG-123](${issueUrl})`,
    `Closes\n[ENG-123](${issueUrl})`,
    `Closes [ENG-123\nAdd limits](\n${issueUrl}\n)`,
    `Closes <${issueUrl}>`,
    `Closes <a href="${issueUrl}">ENG-123</a>`,
    `Closes https://linear.app/acme/issue/ENG-1, ${issueUrl}`,
    `Closes [ENG-1](https://linear.app/acme/issue/ENG-1) and [ENG-123](${issueUrl})`,
    `Closes:\n- https://linear.app/acme/issue/ENG-1\n- ${issueUrl}`,
  ])("close what a magic word stands before: %j", (text) => {
    expect(read(text).at(-1)).toMatch(/^closes linear:issue:ENG-123 /)
  })

  it.each([
    `See ${issueUrl}`,
    `Disclosed ${issueUrl}`,
    `This does not fix ${issueUrl}`,
    `It would have fixed ${issueUrl}`,
    `We should not have closed ${issueUrl}`,
    `It wouldn't have fixed ${issueUrl}`,
    `Don't skip ${issueUrl}`,
    `Never ignore [ENG-123](${issueUrl})`,
    `Closes the gap of ${issueUrl}`,
    `Closes https://linear.app/acme/issue/ENG-1. See ${issueUrl}`,
    `auto-closed ${issueUrl}`,
  ])("only mention it without one: %j", (text) => {
    expect(read(text).at(-1)).toMatch(/^mentions linear:issue:ENG-123 /)
  })

  it("say each thing once a field, and what says more wins", () => {
    expect(read(`ENG-123 [ENG-123](${issueUrl}), closes ENG-123`)).toEqual([
      'closes linear:issue:ENG-123 "ENG-123" in body',
    ])
  })

  it.each([
    ["fenced code", "```\nENG-1\n```\nENG-2"],
    ["fenced code in a list", "1. So:\n   - then\n     ```sh\n     ENG-1\n     ```\nENG-2"],
    ["longer fences", "~~~~ts\nENG-1\n~~~\nENG-3\n~~~~\nENG-2"],
    ["a fence that is never closed", "ENG-2\n```\nENG-1"],
    ["comments", "<!-- Fixes ENG-1 -->\nENG-2"],
    ["a comment that is never closed", "ENG-2 <!-- ENG-1"],
    ["HTML quotations", "ENG-2\n<blockquote>\n<li>ENG-1</li>\n</blockquote>"],
    ["a fence after a list", "- a\n\nb\n\n~~~\nENG-1\n~~~\nENG-2"],
    ["a closed comment with paragraphs", "ENG-2 <!-- a\n\nENG-1 -->"],
    ["an HTML quotation that is never closed", "ENG-2 <BLOCKQUOTE class=x>\n\nENG-1"],
    ["what is struck out", "~~Fixes ENG-1~~ ENG-2"],
    ["addresses that are struck out", `- [ ] ~~Fixes ${issueUrl}~~\n- [ ] ENG-2`],
    ["what an HTML tag strikes out", "<del>Fixes ENG-1</del> <s>ENG-3</s> ENG-2 <strike>ENG-4</strike>"],
    ["the same in capitals and with attributes", '<DEL class="x">Fixes ENG-1</Del > ENG-2'],
    ["the same over paragraphs", "<del>\n\nFixes ENG-1\n\n- ENG-3\n\n</del>\n\nENG-2"],
    ["tags that strike out within another", "<s>ENG-1 <s>ENG-3</s> ENG-4 ~~a~~ `</s>` ENG-5</s> ENG-2"],
    ["the same of another name", "<del>ENG-1 <s>ENG-3</del> ENG-2"],
    ["addresses in code", `\`\`\`\n${issueUrl}\n\`\`\`\nENG-2`],
  ])("leave out %s", (_, text) => {
    expect(read(text)).toEqual(['mentions linear:issue:ENG-2 "ENG-2" in body'])
  })

  it.each([
    ["a comment's beginning in code", "Escape `<!--` in templates\n\nFixes ENG-2"],
    ["the same in a longer span", "Escape `` `<!--` `` in templates\n\nFixes ENG-2"],
    ["the same in a span over two lines", "Escape `a\n<!-` and `<!--` b\n\nFixes ENG-2"],
    ["the same in fenced code", "```html\n<!-- start\n```\n\nFixes ENG-2"],
    ["the same in indented code", "So:\n\n    <!-- start\n\nFixes ENG-2"],
    ["the same behind a backslash", "Escape \\<!-- in templates\n\nFixes ENG-2"],
    ["a quotation's beginning in code", "Render `<blockquote>` right\n\nFixes ENG-2"],
    ["the same in fenced code", "~~~\n<blockquote>\n~~~\n\nFixes ENG-2"],
    ["a fence in indented code", "    ```\n\nFixes ENG-2"],
    ["a fence that goes on a paragraph", "So:\n    ```\n\nFixes ENG-2"],
    ["a fence in a comment", "<!--\n```\n-->\nFixes ENG-2"],
    ["a fence in an HTML quotation", "<blockquote>\n\n```\n</blockquote>\nFixes ENG-2"],
    ["a fence behind a bullet", "- ```sh\n  ENG-1\n  ```\n\nFixes ENG-2"],
    ["a fence behind a bullet in a list", "1. So\n   - ```sh\n     ENG-1\n     ```\n\nFixes ENG-2"],
    ["a comment that ends in code", "<!-- `a --> Fixes ENG-2 `b <!-- ENG-1 -->"],
    ["one backtick before a comment", "It`s\n<!-- `ENG-1` -->\nFixes ENG-2"],
    ["one backtick before a comment of its line", "It`s <!-- ENG-1 -->\n\nand` so. Fixes ENG-2"],
    ["a comment's beginning in a sentence", "Whatever has <!-- at ENG-1\n\nFixes ENG-2"],
    ["backticks behind a backslash", "A \\` and <!-- ` ENG-1 --> Fixes ENG-2"],
    ["tildes that strike nothing out", "About ~~ 5, ~~ 6\n\nFixes ENG-2, ~~a"],
    ["tags that strike nothing out", "</del> <delta>, <s> <strong>x</strong>\n\nFixes ENG-2, <del>a"],
    ["the same in code", "Use `<del>` well\n\nFixes ENG-2 `</del>` </del>"],
    ["the same behind a backslash", "Use \\<del>\n\nFixes ENG-2</del>"],
    ["the tag of another name", "<del>\n\nFixes ENG-2</s>"],
    ["tildes in code", "In `~~` and\n\nFixes ENG-2 `~~`"],
    ["carriage returns", "```html\r\n<!-- start\r\n```\r\n\r\nFixes ENG-2"],
  ])("are not lost behind %s", (_, text) => {
    expect(read(text)).toEqual(['closes linear:issue:ENG-2 "ENG-2" in body'])
    const numbers = text.replaceAll("ENG-", "#")
    expect(read(numbers)).toEqual(['closes github:issue:acme/api#2 "#2" in body'])
  })

  it.each([
    ["~Fixes ENG-1~ ENG-2", ["ENG-2"]],
    [`(~see <${issueUrl}|ENG-1>~) ENG-2`, ["ENG-2"]],
    ["*~ENG-1~*, ~ENG-3~, ENG-2", ["ENG-2"]],
    ["about ~5 of ENG-1 ~ 6", ["ENG-1"]],
    ["takes ~3 days for ENG-1 (~$5)", ["ENG-1"]],
    ["~see ENG-1\nENG-2 too~", ["ENG-1", "ENG-2"]],
    ["~/a ENG-1 ~/b", ["ENG-1"]],
  ])("leave out what Slack shows struck out: %j", (text, names) => {
    expect(read(text, { format: "slack" })).toEqual(
      names.map((name) => `mentions linear:issue:${name} "${name}" in body`),
    )
  })

  it("tell what is quoted from what is said", () => {
    expect(read(`> Fixes ENG-1, see ${issueUrl}\n\nDone in ENG-2`)).toEqual([
      'quotes linear:issue:ENG-1 "ENG-1" in body',
      `quotes linear:issue:ENG-123 "${issueUrl}" in body`,
      'mentions linear:issue:ENG-2 "ENG-2" in body',
    ])
    expect(read("> Fixes ENG-1\n\nENG-1 is done")).toEqual(['mentions linear:issue:ENG-1 "ENG-1" in body'])
    expect(read("&gt; ENG-1\nENG-2", { format: "slack" })).toEqual([
      'quotes linear:issue:ENG-1 "ENG-1" in body',
      'mentions linear:issue:ENG-2 "ENG-2" in body',
    ])
    expect(read("> ENG-1", { format: "plain" })).toEqual(['mentions linear:issue:ENG-1 "ENG-1" in body'])
    expect(read("`ENG-1`, *ENG-2*, > ENG-3")).toHaveLength(3)
    expect(read("```ENG-1``` within a line, ENG-2")).toHaveLength(2)
  })

  it("join no timeline where they are quoted", () => {
    const body: TextField = { field: "body", format: "markdown", text: `> Fixes ENG-1\n> ${issueUrl}` }
    const { links } = correlate({ entity: pullRequest, texts: [body] })
    expect(links.map(({ relation, strength, to }) => [relation, strength, to])).toEqual([
      ["quotes", "weak", "linear:issue:ENG-1"],
      ["quotes", "weak", "linear:issue:ENG-123"],
    ])
  })

  it.each([`skip ${issueUrl}`, `Ignores: [ENG-123](${issueUrl})`, `${issueUrl}, but ignore ${issueUrl}`])(
    "leave out what is to be skipped: %j",
    (text) => {
      expect(read(text)).toEqual([])
    },
  )

  it.each([
    `https://slack-redir.net/link?url=${encodeURIComponent(issueUrl)}`,
    `https://www.google.com/url?q=${encodeURIComponent(issueUrl)}&sa=D`,
    `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(issueUrl)}&data=05`,
  ])("are what a redirector leads to: %s", (text) => {
    expect(read(text)).toEqual([`mentions linear:issue:ENG-123 "${text}" in body`])
  })

  it("are of no other address that holds one", () => {
    expect(read(`https://x.example/login?next=${encodeURIComponent(issueUrl)}`)).toEqual([])
  })

  it("leave out what is part of an address", () => {
    expect(read("https://acme.atlassian.net/browse/ABC-12 https://example.org/#42")).toEqual([])
  })

  it("leave out what is part of an address even where a platform would take it", () => {
    const greedy: Platform = {
      ...linear,
      mentionsIn: ({ text }) =>
        [...text.matchAll(/[A-Z]+-\d+/g)].map(({ 0: found, index }) => ({
          entity: `linear:issue:${found}`,
          relation: "mentions",
          text: found,
          start: index,
          end: index + found.length,
        })),
    }
    const normalized = normalizedOf({
      entity: pullRequest,
      texts: [{ field: "body", format: "markdown", text: "https://acme.atlassian.net/browse/ABC-12 ENG-1" }],
    })
    const { references } = createCorrelation({ platforms: [greedy] }).correlate(
      eventOf(normalized),
      normalized,
    )
    expect(shortReferences({ references })).toEqual(['mentions linear:issue:ENG-1 "ENG-1" in body'])
  })

  it("leave out the thing itself", () => {
    expect(read("https://github.com/acme/api/pull/50")).toEqual([])
    expect(
      read("https://github.com/acme/api/pull/50", { subject: "github:commit:" + "a".repeat(40) }),
    ).toEqual(['mentions github:pull_request:acme/api#50 "https://github.com/acme/api/pull/50" in body'])
  })

  it("span an address however long it is, as far as addresses are read", () => {
    const long = `${issueUrl}/${"a-".repeat(900)}b`
    expect(long.length).toBeGreaterThan(1_800)
    const [reference] = correlate({
      entity: pullRequest,
      texts: [{ field: "body", format: "markdown", text: `See ${long}.` }],
    }).references
    expect(reference?.evidence).toEqual({ field: "body", text: long, start: 4, end: 4 + long.length })
  })

  it("are what is attached, where the field is an address", () => {
    expect(read(` ${issueUrl}\n`, { field: "attachment", format: "url" })).toEqual([
      `attached linear:issue:ENG-123 "${issueUrl}" in attachment`,
    ])
    expect(read("ENG-123", { format: "url" })).toEqual([])
  })

  it("hold Slack's addresses as written, with escapes undone for their meaning", () => {
    const [reference] = correlate({
      type: "slack.message.posted",
      entity: "slack:message:T1/C1/1700000000.000100",
      texts: [
        {
          field: "message",
          format: "slack",
          text: "Have a look: <https://github.com/acme/api/pull/42?a=1&amp;b=2|#42 &amp; more>",
        },
      ],
    }).references
    expect(reference).toEqual({
      entity: "github:pull_request:acme/api#42",
      relation: "mentions",
      evidence: {
        field: "message",
        text: "https://github.com/acme/api/pull/42?a=1&amp;b=2",
        start: 14,
        end: 61,
      },
    })
  })

  it("are at most 500 an event, and nothing past 65,536 units of a field is read", () => {
    const many = Array.from({ length: 600 }, (_, n) => `ENG-${n + 1}`)
    const texts = [many.slice(0, 300), many.slice(300)].map((part, n) => ({
      field: `body${n}`,
      format: "plain" as const,
      text: part.join(", "),
    }))
    expect(correlate({ entity: pullRequest, texts }).references).toHaveLength(maxReferences)
    expect(read(`${" ".repeat(65_536)}ENG-123`)).toEqual([])
    expect(read(`${" ".repeat(65_529)}ENG-123`)).toHaveLength(1)
  })
})

const piece = fc.oneof(
  fc.constantFrom(
    "Closes ",
    "ENG-123",
    "eng-7",
    "#42",
    "acme/api#42",
    "Reverts ",
    issueUrl,
    "https://github.com/acme/api/pull/42",
    "<https://github.com/acme/api/pull/42?a&amp;b|x>",
    `[ENG-9](${issueUrl})`,
    "\n",
    " ",
    ", ",
    "`",
    "```",
    "> ",
    "<!--",
    "-->",
    "<blockquote>",
    "- ",
    "    ",
    "\\",
    "\u0000",
    "\ud83d",
    "😀",
    "é",
  ),
  fc.string({ unit: "binary", maxLength: 5 }),
)

it("the offsets of every mention span its text in the field, whatever the field holds", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.constantFrom<TextField["format"]>("plain", "markdown", "slack", "branch", "url"),
      (text, format) => {
        // What PostgreSQL refuses is replaced unit for unit.
        const readable = text.toWellFormed().replaceAll("\0", "\uFFFD")
        const { references } = correlate({ entity: pullRequest, texts: [{ field: "body", format, text }] })
        for (const { evidence } of references) {
          expect(evidence.text).not.toBe("")
          expect(readable.slice(evidence.start, evidence.end)).toBe(evidence.text)
        }
      },
    ),
    { numRuns: 500 },
  )
})

it.each([
  "[",
  "](",
  "[a](",
  "<https://a",
  '<a href="https://a',
  "https://a/([{",
  "```",
  "~~~\n",
  "<!--",
  "> ",
  "`a",
  "Closes ",
  "Closes https://a.b/c, ",
  "A-1",
  "a-1/",
  "eng-123-",
  "#1",
  "a/b#1 ",
  'Revert "',
  "&lt;",
  "_*",
  "\n",
  "'https://a'",
  "eng-12,",
  "\neng-123",
  "[eng-1,",
  "merge x-1 ",
  "merge a-1 b-2 c-3 into d-4\n",
  "Merge branch 'eng-12",
  "<blockquote>",
  "<blockquote>`",
  "<!-- a\n\n",
  "`<!--` ",
  "~~a ",
  "~~a~~",
  "a~~ ",
  "``<!--` ",
  "```\n<!--",
  "- ```\n",
  "    ```\n",
  "> `<!--\n",
  "\\`",
  "release ",
  "cherry picked from ",
  "https://linear.app/a/issue/A-1,",
  "a.b-1-a",
])("a field full of %j is read at once", (unit) => {
  const text = unit.repeat(70_000 / unit.length)
  for (const format of ["plain", "markdown", "slack", "branch", "url"] as const) {
    for (const field of ["title", "commit", "body"]) {
      const startedAt = performance.now()
      const { references } = correlate({ entity: pullRequest, texts: [{ field, format, text }] })
      expect(references.length).toBeLessThanOrEqual(maxReferences)
      // Tens of milliseconds where time grows with length; minutes where it grows with its square.
      expect(performance.now() - startedAt).toBeLessThan(2_000)
    }
  }
})

it("what is said and what is quoted stay in place, and nothing is both", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.constantFrom<TextField["format"]>("plain", "markdown", "slack"),
      (text, format) => {
        const { said, quoted } = splitQuoted(text, format)
        const other = quoted ?? text.replaceAll(/[^\n]/g, " ")
        expect(said).toHaveLength(text.length)
        expect(other).toHaveLength(text.length)
        for (let at = 0; at < text.length; at++) {
          expect([text[at], " "]).toContain(said[at])
          expect([text[at], " "]).toContain(other[at])
          expect([said[at], other[at]]).toContain(text[at] === "\n" ? "\n" : " ")
        }
      },
    ),
  )
})

it.each([
  ["Closes ", true],
  ["closing:\n- ", true],
  ["Implements **[", true],
  ["fix (", true],
  ["prefix ", false],
  ["won't fix ", false],
  ["never closes ", false],
  ["Closes a ", false],
])("before an address, %j closes it: %s", (text, closes) => {
  expect(isClosedAt(`Done. ${text}`, text.length + 6)).toBe(closes)
})

it.each([
  [", ", true],
  [" and ", true],
  [", and ", true],
  [" & ", true],
  [";\n", true],
  ["\n- ", true],
  [") and [", true],
  ["\n", false],
  [" ", false],
  [". ", false],
  [" or see ", false],
])("between two addresses, %j goes on with the list: %s", (gap, goesOn) => {
  expect(isListGap(`x${gap}y`, 1, 1 + gap.length)).toBe(goesOn)
})

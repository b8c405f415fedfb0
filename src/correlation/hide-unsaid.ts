import type { Place } from "./name-places.ts"

/**
 * Blanks what a Markdown text holds without saying it: fenced code, the comments in which templates explain
 * themselves, what is struck out (by tags too, across paragraphs), and HTML quotations, in which dependency
 * bots wrap the notes of others' releases. One look from left to right, as a reader of Markdown has it:
 * whatever begins first is not ended by what stands within, and nothing begins in code. Offsets and lines
 * stay as they are.
 */
export function hideUnsaid(text: string): string {
  if (!/`|~~|<!--|<(?:blockquote|del|s|strike)\b/i.test(text)) return text
  const endOfCode = findRuns(text, /`+/g)
  const endOfStroke = findRuns(text, /(?<=[^\s~])~{2,}/g)
  const endOfComment = findComments(text)
  const endOfParagraph = findParagraphs(text)
  const hidden: Place[] = []
  const hide = (start: number, end: number): number => {
    hidden.push({ start, end })
    return end
  }
  const struckOut: Record<string, number[]> = { del: [], s: [], strike: [] } // where their tags began

  let list = 0 // how deep the text of the list's last item stands
  let isApart = true // nothing stands in the line before, or indented code
  let at = 0
  for (let isLineStart = true; at < text.length;) {
    if (isLineStart) {
      const line = readLine(text, at)
      const isItem = line.isItem && line.indent < list + 4
      if (isItem) list = line.column
      else if (!line.isBlank && line.indent === 0) list = 0
      isLineStart = false
      if (line.fence !== null && (isItem || line.indent < list + 4)) {
        at = hide(at, endOfFence(text, line.end, line.fence))
        isApart = true
        continue
      }
      isApart = line.isBlank || (isApart && list === 0 && line.indent >= 4)
      if (isApart) at = line.end
    }
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) break
    const [found] = match
    const start = match.index
    const end = start + found.length
    if (found === "\n") {
      isLineStart = true
      at = end
    } else if (found.startsWith("`")) {
      at = endOfCode(end, found.length, endOfParagraph(start)) ?? end
    } else if (found.startsWith("~")) {
      const strikes = found === "~~" && /\S/.test(text.charAt(end))
      const close = strikes ? endOfStroke(end, 2, endOfParagraph(start)) : null
      at = close === null ? end : hide(start, close)
    } else if (found === "<!--") {
      at = hide(start, endOfComment(start) ?? endOfParagraph(start))
    } else if (/^<b/i.test(found)) {
      quoteEnd.lastIndex = end
      at = hide(start, quoteEnd.test(text) ? quoteEnd.lastIndex : text.length)
    } else if (found.startsWith("<")) {
      const began = struckOut[/[a-z]+/i.exec(found)?.[0].toLowerCase() ?? ""]
      if (!found.startsWith("</")) began?.push(start)
      else hide(began?.pop() ?? start, end)
      at = end
    } else {
      at = end // whatever stands behind a backslash begins nothing
    }
  }
  return blankAt(text, hidden)
}

function blankAt(text: string, places: readonly Place[]): string {
  let shown = ""
  let done = 0
  for (const { start, end } of places.toSorted((one, other) => one.start - other.start)) {
    if (start < done) continue // within what was struck out by a tag that began before it
    shown += text.slice(done, start) + blank(text.slice(start, end))
    done = end
  }
  return shown + text.slice(done)
}

/** Blanks all but the ends of lines. */
export function blank(text: string): string {
  return text.replace(/[^\n]/g, " ")
}

const token = /\n|\\[^\n]|`+|~{2,}|<!--|<blockquote\b|<\/?(?:del|s|strike)(?:\s[^<>]*)?>/gi
const quoteEnd = /<\/blockquote>/gi

interface Line {
  /** Columns before its text, and before its marks where it is an item of a list. */
  column: number
  indent: number
  isItem: boolean
  isBlank: boolean
  /** What opens fenced code; what has backticks behind it is code within a line. */
  fence: string | null
  end: number
}

const lineForm =
  /(?<indent>[ \t]*)(?<marks>(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?:(?<fence>`{3,}(?=[^`\n]*$)|~{3,})|(?<blank>\r?$)|)/my

function readLine(text: string, at: number): Line {
  lineForm.lastIndex = at
  const { indent = "", marks = "", fence = null, blank: rest } = lineForm.exec(text)?.groups ?? {}
  const end = text.indexOf("\n", at)
  return {
    column: columnsOf(indent + marks),
    indent: columnsOf(indent),
    isItem: marks !== "",
    isBlank: marks === "" && rest !== undefined,
    fence,
    end: end === -1 ? text.length : end,
  }
}

function columnsOf(text: string): number {
  let columns = 0
  for (const char of text) columns += char === "\t" ? 4 - (columns % 4) : 1
  return columns
}

const fenceEnd = /^[ \t]*(`{3,}|~{3,})[ \t\r]*$/gm

/** Where the line ends that closes the fence, or the text. */
function endOfFence(text: string, from: number, fence: string): number {
  fenceEnd.lastIndex = from
  for (let match = fenceEnd.exec(text); match !== null; match = fenceEnd.exec(text)) {
    if (match[1]?.startsWith(fence) === true) return fenceEnd.lastIndex
  }
  return text.length
}

/** Where a comment ends; null within a line where it has no end, and so is none for whoever reads the page. */
function findComments(text: string): (start: number) => number | null {
  const last = text.lastIndexOf("-->")
  return (start) => {
    if (start + 4 <= last) return text.indexOf("-->", start + 4) + 3
    const isOwnLine = /(?:^|\n)[ \t]*$/.test(text.slice(Math.max(0, start - 16), start))
    return isOwnLine ? text.length : null
  }
}

type EndOfRun = (from: number, length: number, limit: number) => number | null

/** Where that ends whose mark, of so many characters, ends at `from`: behind the next run of as many. */
function findRuns(text: string, run: RegExp): EndOfRun {
  const runs = new Map<number, { starts: number[]; next: number }>()
  for (const { 0: mark, index } of text.matchAll(run)) {
    const alike = runs.get(mark.length) ?? { starts: [], next: 0 }
    alike.starts.push(index)
    runs.set(mark.length, alike)
  }
  return (from, length, limit) => {
    const alike = runs.get(length)
    if (alike === undefined) return null
    while ((alike.starts[alike.next] ?? Infinity) < from) alike.next++
    const start = alike.starts[alike.next]
    return start === undefined || start >= limit ? null : start + length
  }
}

// A blank line ends a paragraph, and so does what begins something else.
const paragraphEnd =
  /\n(?=[ \t]*(?:\r?\n|$|`{3}|~{3}|>|#{1,6}[ \t]|<(?:!--|\/?[a-z])|(?:[-*+]|\d{1,9}[.)])[ \t]))/gi

/** Where the paragraph ends in which `at` stands, for one place after the other. */
function findParagraphs(text: string): (at: number) => number {
  let end = 0
  return (at) => {
    if (at < end) return end
    paragraphEnd.lastIndex = at
    end = paragraphEnd.exec(text)?.index ?? text.length
    return end
  }
}

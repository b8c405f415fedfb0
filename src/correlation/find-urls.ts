import type { TextField } from "../core/platform.ts"

/** A URL as written in a text. */
export interface UrlSpan {
  /** The address, with the text's own escaping undone. */
  href: string
  /** Offsets of the address as written. */
  start: number
  end: number
  /** Where the whole link begins and ends: `[label](url)`, `<url|label>`, `<a href="url">`. */
  outerStart: number
  outerEnd: number
}

/** Longer addresses are not read. */
export const maxUrlLength = 2048
const maxUrls = 500
const scheme = /https?:\/\//gi
const trailing = new Set(".,;:!?'*_~")
const opening: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" }

/**
 * Finds http(s) URLs in one pass: bare ones without the punctuation and closing brackets of the
 * sentence around them, autolinks, Markdown links (also where the label is broken over lines) and
 * Slack's `<url|label>`. At most 500 a text, of at most 2,048 characters each.
 */
export function findUrls(text: string, format: TextField["format"]): UrlSpan[] {
  const spans: UrlSpan[] = []
  let from = 0
  for (const match of text.matchAll(scheme)) {
    if (match.index < from) continue // a URL within a URL, as in a redirect's query
    const start = match.index
    const link = (format === "slack" ? slackLink(text, start) : undefined) ?? bareUrl(text, start, format)
    from = Math.max(link.end, start + match[0].length)
    if (link.end - start > maxUrlLength || link.end <= start + match[0].length) continue
    spans.push(link)
    if (spans.length === maxUrls) break
  }
  return spans
}

/** `<url>` or `<url|label>`; Slack escapes `& < >` within the URL too, `&` first, so it is undone last. */
function slackLink(text: string, start: number): UrlSpan | undefined {
  if (text[start - 1] !== "<") return undefined
  let end = start
  while (end < text.length && !endsSlackUrl(text.charCodeAt(end))) end++
  let close = end
  const limit = Math.min(text.length, end + maxUrlLength)
  while (close < limit && text[close] !== ">" && text[close] !== "<") close++
  if (text[close] !== ">") return undefined
  const href = unescapeSlack(text.slice(start, end))
  return { href, start, end, outerStart: start - 1, outerEnd: close + 1 }
}

function endsSlackUrl(code: number): boolean {
  return code <= 0x20 || code === 0x3c || code === 0x3e || code === 0x7c // space, < > |
}

function unescapeSlack(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")
}

function bareUrl(text: string, start: number, format: TextField["format"]): UrlSpan {
  let end = endOfUrl(text, start)
  if (format === "slack") {
    const escaped = text.slice(start, end).search(/&[lg]t;/)
    if (escaped !== -1) end = start + escaped
  }
  while (end > start && trailing.has(text.charAt(end - 1))) end--
  const written = text.slice(start, end)
  const outerStart = startOfLink(text, start)
  const outerEnd = outerStart < start && /[)>"']/.test(text.charAt(end)) ? end + 1 : end
  return { href: format === "slack" ? unescapeSlack(written) : written, start, end, outerStart, outerEnd }
}

/** Stops at whitespace, quotes, anything outside ASCII, and a bracket that closes what the URL did not open. */
function endOfUrl(text: string, start: number): number {
  const open: Record<string, number> = { "(": 0, "[": 0, "{": 0 }
  let end = start
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code <= 0x20 || code >= 0x7f) break
    const char = text.charAt(end)
    if (char === "<" || char === ">" || char === '"' || char === "`" || char === "\\" || char === "|") break
    if (Object.hasOwn(open, char)) open[char] = (open[char] ?? 0) + 1
    const opener = opening[char]
    if (opener === undefined) continue
    if ((open[opener] ?? 0) === 0) break
    open[opener] = (open[opener] ?? 0) - 1
  }
  return end
}

const lookBehind = 400

/** Where the link around a URL begins: at `[` of a Markdown link, at `<` of a tag or an autolink. */
function startOfLink(text: string, start: number): number {
  let at = start - 1
  if (text[at] === "<") return at > 0 ? startOfMarkdownLink(text, at) : at
  if (text[at] === '"' || text[at] === "'") {
    if (text.slice(at - 5, at).toLowerCase() !== "href=") return start
    const before = Math.max(0, at - lookBehind)
    const tag = text.slice(before, at).lastIndexOf("<")
    return tag === -1 ? start : before + tag
  }
  while (at > start - lookBehind && isSpace(text.charCodeAt(at))) at--
  return at === start - 1 || text[at] === "(" ? startOfMarkdownLink(text, at + 1, start) : start
}

/** Looks back from just after `](` for the bracket that opens the label. */
function startOfMarkdownLink(text: string, at: number, otherwise: number = at): number {
  if (text[at - 1] !== "(" || text[at - 2] !== "]") return otherwise
  let depth = 1
  for (let index = at - 3; index >= Math.max(0, at - lookBehind); index--) {
    if (text[index] === "]") depth++
    else if (text[index] === "[" && --depth === 0) return index
  }
  return otherwise
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

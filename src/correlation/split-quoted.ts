import type { TextField } from "../core/platform.ts"

/** One text in two, each as long as the whole and with the same lines, what belongs to the other blank. */
export interface SpokenText {
  /** What the writer says. */
  said: string
  /** The lines that the writer quotes; null where there are none. */
  quoted: string | null
}

const comment = /<!--[^]*?(?:-->|$)/g
// Dependency bots wrap the notes of others' releases in these; whoever writes by hand quotes with `>`.
const htmlQuote = /<blockquote\b[^]*?(?:<\/blockquote>|$)/gi
const slackBlock = /```[^]*?(?:```|$)/g
// As deep as lists indent it; what has backticks behind it is code within a line.
const fence = /^[ \t]*(`{3,}(?=[^`]*$)|~{3,})/
const quote = /^ {0,3}>/
const slackQuote = /^(?:&gt;|>)/

/**
 * Tells what a text says from what it quotes, and blanks what it only shows in both: fenced code, the
 * comments in which templates explain themselves, and HTML quotations. Offsets and lines stay as they are.
 */
export function splitQuoted(text: string, format: TextField["format"]): SpokenText {
  if (format === "slack") {
    const shown = text.includes("```") ? text.replace(slackBlock, blank) : text
    return /^(?:&gt;|>)/m.test(shown) ? splitLines(shown, slackQuote) : { said: shown, quoted: null }
  }
  if (format !== "markdown") return { said: text, quoted: null }
  let shown = text.includes("<!--") ? text.replace(comment, blank) : text
  if (/<blockquote\b/i.test(shown)) shown = shown.replace(htmlQuote, blank)
  if (/```|~~~/.test(shown)) shown = hideFenced(shown)
  return /^ {0,3}>/m.test(shown) ? splitLines(shown, quote) : { said: shown, quoted: null }
}

function splitLines(text: string, mark: RegExp): SpokenText {
  const said: string[] = []
  const quoted: string[] = []
  for (const line of text.split("\n")) {
    const isQuoted = mark.test(line)
    said.push(isQuoted ? blank(line) : line)
    quoted.push(isQuoted ? line : blank(line))
  }
  return { said: said.join("\n"), quoted: quoted.join("\n") }
}

function hideFenced(text: string): string {
  let open: string | null = null
  const lines = text.split("\n").map((line) => {
    const mark = fence.exec(line)?.[1]
    const hidden = open !== null || mark !== undefined
    if (open === null) open = mark ?? null
    else if (mark?.startsWith(open) === true && line.trim() === mark) open = null
    return hidden ? blank(line) : line
  })
  return lines.join("\n")
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ")
}

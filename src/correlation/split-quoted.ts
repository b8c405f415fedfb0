import type { TextField } from "../core/platform.ts"
import { blank, hideUnsaid } from "./hide-unsaid.ts"

/** One text in two, each as long as the whole and with the same lines, what belongs to the other blank. */
export interface SpokenText {
  /** What the writer says. */
  said: string
  /** The lines that the writer quotes; null where there are none. */
  quoted: string | null
}

const slackBlock = /```[^]*?(?:```|$)/g
// As Slack takes it: words of one line, with no blank within the marks and no letter beside them.
const slackStroke = /(?<=^|[\s(*_"'])~(?=[^\s~])[^~\n]*(?<=[^\s([{"'])~(?![\p{L}\p{N}~])/gmu
const quote = /^ {0,3}>/
const slackQuote = /^(?:&gt;|>)/

/**
 * Tells what a text says from what it quotes, and blanks what it only shows in both: fenced code, what is
 * struck out, the comments in which templates explain themselves, and HTML quotations. Offsets and lines stay
 * as they are.
 */
export function splitQuoted(text: string, format: TextField["format"]): SpokenText {
  if (format === "slack") {
    const spoken = text.includes("```") ? text.replace(slackBlock, blank) : text
    const shown = spoken.includes("~") ? spoken.replace(slackStroke, blank) : spoken
    return /^(?:&gt;|>)/m.test(shown) ? splitLines(shown, slackQuote) : { said: shown, quoted: null }
  }
  if (format !== "markdown") return { said: text, quoted: null }
  const shown = hideUnsaid(text)
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

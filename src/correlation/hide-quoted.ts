import type { TextField } from "../core/platform.ts"

const comment = /<!--[^]*?(?:-->|$)/g
const slackBlock = /```[^]*?(?:```|$)/g
const fence = /^ {0,3}(`{3,}|~{3,})/
const quote = /^ {0,3}>/

/**
 * Blanks what a text shows and does not say: fenced code, quoted lines, and the comments in which
 * templates explain themselves. Offsets and lines stay as they are.
 */
export function hideQuoted(text: string, format: TextField["format"]): string {
  if (format === "slack") return text.includes("```") ? text.replace(slackBlock, blank) : text
  if (format !== "markdown") return text
  const said = text.includes("<!--") ? text.replace(comment, blank) : text
  return /```|~~~|>/.test(said) ? hideLines(said) : said
}

function hideLines(text: string): string {
  let open: string | null = null
  const lines = text.split("\n").map((line) => {
    const mark = fence.exec(line)?.[1]
    const hidden = open !== null || mark !== undefined || quote.test(line)
    if (open === null) open = mark ?? null
    else if (mark?.startsWith(open) === true && line.trim() === mark) open = null
    return hidden ? blank(line) : line
  })
  return lines.join("\n")
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ")
}

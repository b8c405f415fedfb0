import type { TextField } from "../../core/platform.ts"

const address = /\bhttps?:\/\/[^\s<>"']+/gi

const hidden: Record<TextField["format"], readonly RegExp[]> = {
  plain: [address],
  branch: [],
  url: [],
  markdown: [/(`{1,2})(?!`)[^\n]{1,500}?\1(?!`)/g, /^ {0,3}>[^\n]*/gm, address],
  slack: [
    /```[^]*?(?:```|$)/g,
    /`[^`\n]+`/g,
    /^(?:&gt;|>)[^\n]*/gm,
    /<[^<>\n]*>/g, // links and names; the links are read as addresses
    address,
  ],
}

/**
 * Blanks what is not said but shown: code within a line, quoted lines, and addresses, which are read as
 * such elsewhere. Fenced code and comments the text has lost before (see `mentionsIn` of Platform). Offsets
 * and lines stay as they are.
 */
export function hideQuotations(text: string, format: TextField["format"]): string {
  return hidden[format].reduce(
    (rest, pattern) => rest.replace(pattern, (match) => match.replace(/[^\n]/g, " ")),
    text,
  )
}

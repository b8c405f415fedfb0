/** A text that somebody else wrote, for one line of a terminal: without line breaks and control characters. */
export function oneLine(text: string, width = Infinity): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim()
  return line.length > width ? `${line.slice(0, width - 1)}…` : line
}

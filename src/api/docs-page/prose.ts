import { html } from "hono/html"
import type { HtmlEscapedString } from "hono/utils/html"

/** Markup that is escaped, or will be. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

/** Paragraphs of a text whose only markup are backticks and blank lines. */
export function prose(text: string | undefined): Markup[] {
  if (text === undefined || text === "") return []
  return text.split("\n\n").map((paragraph) => html`<p>${inline(paragraph)}</p>`)
}

/** A line in which backticks mark code. */
export function inline(text: string | undefined): Markup[] {
  return (text ?? "").split("`").map((part, n) => (n % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))
}

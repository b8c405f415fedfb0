const token = /<((?:[@#!]|[a-z][a-z0-9+.-]{0,20}:)[^<>]{1,3000})>/gi

/**
 * Slack's message text as a person reads it: `<url|label>` is its label, `<@U1>` is `@U1`, `<#C1|dev>` is
 * `#dev`. Tokens come first and the escapes last, `&amp;` after the others, or `&amp;lt;` would be a token.
 */
export function plainText(text: string): string {
  return text
    .replace(token, (_, inner: string) => labelOf(inner))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
}

function labelOf(inner: string): string {
  const bar = inner.indexOf("|")
  const target = bar === -1 ? inner : inner.slice(0, bar)
  const label = bar === -1 ? "" : inner.slice(bar + 1)
  if (target.startsWith("#")) return `#${label === "" ? target.slice(1) : label}`
  if (target.startsWith("@")) return label === "" ? target : `@${label.replace(/^@/, "")}`
  if (target.startsWith("!")) return label === "" ? `@${target.slice(1).split("^", 1)[0] ?? ""}` : label
  return label === "" ? target : label
}

import { entityKey } from "../../core/entity-key.ts"

/** A team key of one to seven letters and digits, a dash, a number without leading zeros. */
const identifierForm = /^(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,7}-[1-9][0-9]{0,8}$/

/** Whether a text is an issue's identifier, in either case: `ENG-123`, `4u-7`. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === "string" && identifierForm.test(text)
}

/** The issue's key of `linear.app/<workspace>/issue/ENG-123[/slug][#comment-…]`; null for other pages. */
export function entityFromUrl(url: URL): string | null {
  if (url.hostname !== "linear.app" && url.hostname !== "www.linear.app") return null
  const [, , page, identifier] = url.pathname.split("/")
  return page === "issue" && isIdentifier(identifier) ? entityKey.linearIssue(identifier) : null
}

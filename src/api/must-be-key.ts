import { canonicalEntityKey } from "../core/entity-key.ts"
import { SignalboxError } from "../core/errors.ts"

/**
 * The canonical key that a path or a parameter, by its name, holds; 400 that says what keys look like, and where
 * names are taken.
 */
export function mustBeKey(text: string, parameter?: string): string {
  // An address would pass for a key of the platform `https`.
  const key = /^https?:\/\//i.test(text) ? null : canonicalEntityKey(text)
  if (key !== null) return key
  throw new SignalboxError(
    "bad_request",
    `${parameter === undefined ? "" : `${parameter}: `}${JSON.stringify(text.slice(0, 200))} is no entity key: keys look like linear:issue:ENG-123, github:pull_request:acme/api%2342, github:commit:<all digits> or deployment:<id>; GET /api/v1/entities?name= tells the key of any other name`,
  )
}

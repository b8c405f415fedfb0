import { SignalboxClientError } from "./errors.ts"

/** All names of a type's members: `satisfies OptionNames<T>` holds a list to it. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>

/**
 * Throws `bad_request` for members that none of the options is called: types tell of them, but not everybody has
 * types, and a misspelt filter lets everything pass.
 */
export function checkOptions(what: string, given: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.entries(given).flatMap(([name, value]) =>
    value === undefined || Object.hasOwn(known, name) ? [] : [name],
  )
  if (unknown.length === 0) return
  throw new SignalboxClientError(
    "bad_request",
    `unknown option of ${what}: ${unknown.join(", ")}; known: ${Object.keys(known).join(", ")}`,
  )
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown

// ECMAScript, JSON.parse source text access: not in the types yet.
declare global {
  interface JSON {
    parse(text: string, reviver: Reviver): unknown
    rawJSON(text: string): object
  }
}

const integer = /^-?\d+$/

/**
 * Parses an answer of the API. Ids are 64 bits wide and JSON.parse would round them: an integer that a
 * number cannot hold becomes text of its digits.
 */
export function parseAnswer(text: string): unknown {
  return parse(text, (digits) => digits)
}

/** Parses what is to be printed again: an integer that a number cannot hold is printed as it was. */
export function parseToPrint(text: string): unknown {
  return parse(text, (digits) => JSON.rawJSON(digits))
}

function parse(text: string, large: (digits: string) => unknown): unknown {
  // Most answers hold none, and a reviver takes several times as long.
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && integer.test(source)
      ? large(source)
      : value,
  )
}

import { maskJson } from "./mask.ts"
import { merged, secretSpans, type Span } from "./secret-spans.ts"

/** In prose, too, the name of a secret stands before it: `password=…`, `Authorization: Basic …`. */
const assignment =
  /((?:token|secret|passw(?:or)?d|passphrase|authorization|cookie|(?:api|private|secret)[_-]?key)["'\\]{0,2} {0,2}[:=] {0,2}["'\\]{0,2}(?:(?:Bearer|Basic|Token) )?)([^\s"'\\,;&)\]}]{4,})/gi

/**
 * Masks the secrets in a line of a log, one JSON object: by their looks, by the names of fields, and by
 * a name before them in a sentence, which in a log may well mask too much.
 */
export function maskLogLine(line: string): string {
  return maskJson(line, spansInLog)
}

function spansInLog(text: string, besideKeyId: boolean): Span[] {
  const assigned = [...text.matchAll(assignment)].map((match) => ({
    start: match.index + (match[1]?.length ?? 0),
    end: match.index + match[0].length,
  }))
  return merged([...secretSpans(text, besideKeyId), ...assigned])
}

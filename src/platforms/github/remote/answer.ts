import { SignalboxError } from "../../../core/errors.ts"
import { parseAnswer } from "./json.ts"

/** A success of the API. */
export interface Answer {
  /** As the API printed it; empty for an answer without a body. */
  text: string
  /** The same, parsed: integers past 2^53 are text. */
  data: unknown
  /** Path and query of the next page; null on the last one. */
  next: string | null
}

/** A delivery holds a body of up to 25 MiB, printed with escapes. */
const maxAnswerBytes = 64 * 1024 * 1024

/** An answer of `path`; `link` is its Link header. */
export function answerOf(path: string, text: string, link: string): Answer {
  try {
    return { text, data: text === "" ? null : parseAnswer(text), next: nextPage(path, link) }
  } catch (cause) {
    throw new SignalboxError("unavailable", "what answered is no API of GitHub's: it gave no JSON", { cause })
  }
}

/**
 * The page that a Link header names. Only its query is taken: the address is ours, whatever host a
 * proxy or a stranger writes there, and the token goes nowhere else.
 */
function nextPage(path: string, link: string): string | null {
  const target = /<([^<>]+)>;\s*rel="next"/.exec(link)?.[1]
  if (target === undefined || !URL.canParse(target)) return null
  return `${path.split("?", 1)[0]}${new URL(target).search}`
}

/** Reads a body up to a cap, so that no answer fills the memory. */
export async function readText(response: Response, what: string): Promise<string> {
  if (response.body === null) return ""
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) {
      throw new SignalboxError(
        "too_large",
        `GitHub's answer about ${what} is larger than ${maxAnswerBytes} bytes`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

/** What a text holds as JSON; null where it is none. */
export function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // a gateway's page
  }
}

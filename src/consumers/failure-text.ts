import { SignalboxError } from "../core/errors.ts"
import { maskText } from "../core/mask.ts"
import { cleanText } from "../core/text.ts"

/** An error as deliveries and dead letters keep it. */
export interface FailureText {
  code: string
  text: string
  /** Whether another attempt would be no use. */
  final: boolean
  /** The least wait that the error asks for. */
  retryAfterMs: number
}

const maxChars = 2_000

/**
 * Puts what a run threw into words, with what caused it. The error is the user's own, so its words may
 * be shown to whoever administers the hub; the stack goes to the log alone.
 */
export function describeFailure(error: unknown): FailureText {
  if (error instanceof SignalboxError) {
    return {
      code: error.code,
      text: cleanText(maskText(error.message), maxChars),
      final: !error.retryable && error.status >= 400 && error.status < 500,
      retryAfterMs: (error.retryAfter ?? 0) * 1_000,
    }
  }
  const code = error instanceof Error && error.name === "TimeoutError" ? "timeout" : "failed"
  return { code, text: cleanText(maskText(inWords(error)), maxChars), final: false, retryAfterMs: 0 }
}

function inWords(error: unknown): string {
  if (!(error instanceof Error))
    return typeof error === "string" ? error : "something other than an Error was thrown"
  const cause = error.cause instanceof Error ? ` (cause: ${error.cause.message})` : ""
  return `${error.name}: ${error.message}${cause}`
}

import { SignalboxError } from "../core/errors.ts"

/** Why this one thing can never be had, in a sentence; null where the failure says nothing of it, or may pass. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof SignalboxError) || error.retryable) return null
  const { code, status, message } = error
  const isOfAll = code === "unauthenticated" || code === "forbidden"
  return status >= 400 && status < 500 && !isOfAll ? message : null
}

import type { ErrorCode } from "../core/errors.ts"

/**
 * Machine-readable reasons: those of the hub, and the client's own. `unreachable`: nobody answered, or the
 * connection broke; `not_signalbox`: what answered was no hub; `outpaced`: a WebSocket sent faster than its events
 * were taken, and was closed to go on from there; `no_token`: the function that gets a token failed.
 */
export type ClientErrorCode =
  | ErrorCode
  | "unreachable"
  | "not_signalbox"
  | "outpaced"
  | "no_token"
  | (string & {}) // a later hub may have reasons of its own

export interface ClientErrorOptions {
  /** HTTP status; 0 where no answer came. */
  status?: number | undefined
  /** Milliseconds to wait before the next try. */
  retryAfterMs?: number | undefined
  /** Names the failure in the hub's log. */
  instance?: string | undefined
  cause?: unknown
}

/** Every error of the client, mostly made from a problem document (RFC 9457) of the hub. */
export class SignalboxClientError extends Error {
  override readonly name = "SignalboxClientError"
  readonly code: ClientErrorCode
  readonly status: number
  readonly retryAfterMs: number | undefined
  readonly instance: string | undefined

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? 0
    this.retryAfterMs = options.retryAfterMs
    this.instance = options.instance
  }

  /** Whether the same may succeed later, without a change. */
  get retryable(): boolean {
    if (this.status === 0) return ["unreachable", "outpaced", "no_token"].includes(this.code)
    return this.status >= 500 || this.status === 429 || this.status === 408 || this.status === 425
  }
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  410: "gone",
  413: "too_large",
  415: "unsupported_media_type",
  429: "too_many_requests",
  503: "unavailable",
}

/** The error that an answer stands for. Reads its body, and takes one that is no problem document, too. */
export async function errorOf(response: Response): Promise<SignalboxClientError> {
  const { status } = response
  const text = await response.text().catch(() => "")
  const problem = problemIn(text)
  const code =
    typeof problem["code"] === "string"
      ? problem["code"]
      : (byStatus[status] ?? (status < 500 ? "bad_request" : "internal"))
  const said = typeof problem["detail"] === "string" ? problem["detail"] : text.slice(0, 200).trim()
  return new SignalboxClientError(code, said || `the answer was ${status}`, {
    status,
    retryAfterMs: retryAfter(response.headers.get("retry-after")),
    instance: typeof problem["instance"] === "string" ? problem["instance"] : undefined,
  })
}

/** The error for a request that got no answer, or whose answer broke off. */
export function unreachable(what: string, cause: unknown): SignalboxClientError {
  return new SignalboxClientError("unreachable", `${what}: ${reasonOf(cause)}`, { cause })
}

/** What a function of the client's user gives; throws `no_token` where it fails. */
export async function askForToken(get: () => string | Promise<string>): Promise<string> {
  try {
    return await get()
  } catch (cause) {
    throw new SignalboxClientError("no_token", `the token could not be had: ${reasonOf(cause)}`, { cause })
  }
}

/** `fetch failed` says nothing; what caused it does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error && (cause.message !== "" || "code" in cause)) {
    return cause.message || String("code" in cause ? cause.code : "")
  }
  return error.message
}

function problemIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Milliseconds of a `Retry-After`, which has seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** Machine-readable reasons; each is also the last segment of the problem type on the wire. */
export type ErrorCode =
  | "bad_request"
  | "malformed_json"
  | "too_deep"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "unknown_platform"
  | "source_off"
  | "signature_missing"
  | "signature_malformed"
  | "signature_mismatch"
  | "timestamp_outside_tolerance"
  | "conflict"
  | "gone"
  | "unknown_member"
  | "stale_generation"
  | "too_large"
  | "unsupported_encoding"
  | "unsupported_media_type"
  | "too_many_requests"
  | "unavailable"
  | "configuration"
  | "internal"

export interface ErrorOptions {
  /** HTTP status this error answers with. */
  status?: number
  /** Whether the same request may succeed later without a change. */
  retryable?: boolean
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  retryAfter?: number
  /** Members of the problem besides the usual ones (RFC 9457, section 3.2), for programs to read. */
  details?: Readonly<Record<string, unknown>>
  cause?: unknown
}

const defaultStatus: Record<ErrorCode, number> = {
  bad_request: 400,
  malformed_json: 400,
  too_deep: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  unknown_platform: 404,
  source_off: 404,
  signature_missing: 401,
  signature_malformed: 401,
  signature_mismatch: 401,
  timestamp_outside_tolerance: 401,
  conflict: 409,
  gone: 410,
  unknown_member: 404,
  stale_generation: 409,
  too_large: 413,
  unsupported_encoding: 415,
  unsupported_media_type: 415,
  too_many_requests: 429,
  unavailable: 503,
  configuration: 500,
  internal: 500,
}

/**
 * The one error type. Its message is written for the person who must mend the cause, and is safe
 * to send; whatever is internal travels in `cause` and reaches the log only.
 */
export class SignalboxError extends Error {
  override readonly name = "SignalboxError"
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean
  readonly retryAfter: number | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? defaultStatus[code]
    this.retryable = options.retryable ?? (this.status === 429 || this.status === 503)
    this.retryAfter = options.retryAfter
    this.details = options.details ?? {}
  }
}

import { randomUUID } from "node:crypto"
import type { ErrorHandler, NotFoundHandler } from "hono"
import { HTTPException } from "hono/http-exception"
import { DatabaseError } from "pg"
import { SignalboxError, type ErrorCode } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { failureOf, unavailable } from "../store/failure.ts"

/** A problem detail (RFC 9457), the body of every error. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** Machine-readable reason, also the last part of `type`. */
  code: ErrorCode
  /** Names this one failure; the log has its cause under the same name. */
  instance?: string
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: "bad_request",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  415: "unsupported_media_type",
  429: "too_many_requests",
  503: "unavailable",
}

/**
 * The one place where an error becomes an answer. A SignalboxError speaks for itself; of anything
 * else the client learns only that it failed, and a name under which the log tells the rest.
 */
function problemResponse(error: unknown, log: Log): Response {
  const known = toSignalboxError(error)
  const problem = problemOf(known)
  if (known.status >= 500) {
    problem.instance = `urn:uuid:${randomUUID()}`
    const fields = { err: known.cause ?? known, code: known.code, instance: problem.instance }
    if (known.status === 503) log.warn(fields, "a request could not be served now")
    else log.error(fields, "a request failed")
  }
  const headers: Record<string, string> = { "content-type": "application/problem+json" }
  if (known.retryAfter !== undefined) headers["retry-after"] = String(Math.ceil(known.retryAfter))
  if (known.code === "unsupported_encoding") headers["accept-encoding"] = "gzip, deflate, br" // RFC 9110, section 15.5.16
  if (known.status === 401) headers["www-authenticate"] = challengeOf(known.code)
  return new Response(JSON.stringify(problem), { status: known.status, headers })
}

/** What an error says of itself. */
export function problemOf({ code, status, message, details }: SignalboxError): Problem {
  const type = `urn:signalbox:problem:${code}`
  return { ...details, type, title: titleOf(code), status, detail: message, code }
}

/** The handlers that an app needs for all of its errors to be problems. */
export function problemHandlers(log: Log): { onError: ErrorHandler; notFound: NotFoundHandler } {
  return {
    onError: (error) => problemResponse(error, log),
    notFound: (c) =>
      problemResponse(
        new SignalboxError("not_found", `there is nothing at ${c.req.method} ${c.req.path}`),
        log,
      ),
  }
}

function toSignalboxError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error
  if (error instanceof HTTPException) {
    const code = byStatus[error.status]
    if (code !== undefined) return new SignalboxError(code, error.message || titleOf(code), { cause: error })
  }
  if (error instanceof DatabaseError) {
    const failure = failureOf(error)
    if (failure === "away" || failure === "contention") return unavailable(error)
    if (failure === "data") {
      return new SignalboxError("bad_request", "a value is not one that can be stored", { cause: error })
    }
  }
  return new SignalboxError("internal", "something failed on our side; nothing more is said here", {
    cause: error,
  })
}

function titleOf(code: ErrorCode): string {
  const words = code.replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

// RFC 9110, section 15.5.2: a 401 names a way to authenticate. Webhooks have a scheme of their own.
function challengeOf(code: ErrorCode): string {
  return code === "unauthenticated" ? "Bearer" : "Signature"
}

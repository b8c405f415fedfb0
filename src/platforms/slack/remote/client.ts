import {
  LogLevel,
  type Logger,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  type WebAPICallResult,
  WebClient,
} from "@slack/web-api"
import { SignalboxError } from "../../../core/errors.ts"
import { fieldsOf } from "../../../core/fields.ts"
import type { Log } from "../../../core/log.ts"
import type { RemoteAccess } from "../../../core/remote.ts"

const timeoutMs = 30_000
const defaultAddress = "https://slack.com/api/"

/** Slack's API. A call is one request, never repeated and never delayed, and throws as RemoteAccess says. */
export interface SlackApi {
  call<T extends WebAPICallResult>(request: (client: WebClient) => Promise<T>): Promise<T>
}

/** Calls with a bot's token. */
export function slackApi(access: RemoteAccess): SlackApi {
  const { credential, apiUrl, signal } = access
  const client = new WebClient(credential, {
    slackApiUrl: apiUrl ?? defaultAddress,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: loggerTo(access.log),
    fetch: (input, init) => {
      access.called?.()
      const limit = AbortSignal.timeout(timeoutMs)
      return fetch(input, { ...init, signal: AbortSignal.any([signal, limit]) })
    },
  })
  return {
    call: async (request) => {
      signal.throwIfAborted()
      try {
        return await request(client)
      } catch (error) {
        signal.throwIfAborted()
        throw refusal(error)
      }
    },
  }
}

/** Slack's own name for why it refused a call: `channel_not_found`; null where the failure is another. */
export function slackCode(error: unknown): string | null {
  const cause = error instanceof SignalboxError ? error.cause : error
  return cause instanceof WebAPIPlatformError ? cause.data.error : null
}

const badToken = new Set([
  "invalid_auth",
  "not_authed",
  "token_revoked",
  "token_expired",
  "account_inactive",
  "not_allowed_token_type",
])
const passing = new Set(["internal_error", "fatal_error", "service_unavailable", "request_timeout"])

function refusal(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error
  if (error instanceof WebAPIRateLimitedError) return limited(error.retryAfter, error)
  if (error instanceof WebAPIHTTPError) {
    return new SignalboxError("unavailable", `Slack's API failed with status ${error.statusCode}`, {
      cause: new Error(error.message), // the error itself holds headers and body
    })
  }
  if (!(error instanceof WebAPIPlatformError)) {
    return new SignalboxError("unavailable", "Slack's API could not be reached", { cause: error })
  }
  const code = error.data.error
  // Of an answer that is no JSON, the client makes its whole text the code.
  if (!/^\w{1,64}$/.test(code)) {
    return new SignalboxError("unavailable", "Slack's API answers with something else than it documents")
  }
  if (code === "ratelimited" || code === "rate_limited") {
    return limited(error.data.response_metadata?.retryAfter ?? 60, error)
  }
  if (code === "missing_scope") {
    const { needed, provided } = fieldsOf(error.data)
    return new SignalboxError(
      "forbidden",
      `Slack's bot token lacks the scope ${textOf(needed)} (it has ${textOf(provided)}): add it under OAuth & Permissions and install the app again`,
      { cause: error },
    )
  }
  if (badToken.has(code)) {
    return new SignalboxError("unauthenticated", `Slack refuses the bot token: ${code}`, { cause: error })
  }
  const isPassing = passing.has(code)
  return new SignalboxError(
    isPassing ? "unavailable" : "bad_request",
    `Slack's API refuses the call: ${code}`,
    {
      cause: error,
    },
  )
}

function limited(seconds: number, cause: unknown): SignalboxError {
  return new SignalboxError("too_many_requests", "the limit of Slack's API for this app is reached", {
    retryAfter: Math.max(1, Math.ceil(seconds)),
    cause,
  })
}

function textOf(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : "none"
}

/** What the client has to say, where the hub's log goes; left alone, it writes to the console. */
function loggerTo(log: Log): Logger {
  const write = (level: "warn" | "error") => (message: unknown) =>
    log[level]({ slack: String(message) }, "Slack's client")
  return {
    debug: () => {},
    info: () => {},
    warn: write("warn"),
    error: write("error"),
    setLevel: () => {},
    getLevel: () => LogLevel.WARN,
    setName: () => {},
  }
}

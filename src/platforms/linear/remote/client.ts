import { LinearClient, LinearError, LinearErrorType, parseLinearError } from "@linear/sdk"
import type { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import { fieldsOf, listOf } from "../../../core/fields.ts"
import type { RemoteAccess } from "../../../core/remote.ts"
import { firstLine } from "../../../core/text.ts"
import { createBudget, limited, waitSeconds } from "./budget.ts"

const timeoutMs = 30_000

/** Linear's API, within its limits. Every call throws as RemoteAccess says. */
export interface LinearApi {
  /** One document, one request: the SDK's own queries fetch each nested thing with one more. */
  query<T>(document: string, variables: Readonly<Record<string, unknown>>, answer: z.ZodType<T>): Promise<T>
  /** A call of the SDK's that is a single request: a mutation. */
  call<T>(request: (client: LinearClient) => Promise<T>): Promise<T>
}

/** Calls with the credential given, an API key or an OAuth token. */
export function linearApi(access: RemoteAccess): LinearApi {
  const budget = createBudget(access.clock)

  async function call<T>(request: (client: LinearClient) => Promise<T>): Promise<T> {
    access.signal.throwIfAborted()
    budget.check()
    const client = clientOf(access)
    access.called?.()
    try {
      return await request(client)
    } catch (error) {
      access.signal.throwIfAborted()
      if (error instanceof SignalboxError) throw error
      throw refusal(error, access)
    }
  }

  return {
    call,
    query: (document, variables, answer) =>
      call(async (client) => {
        const { data, headers } = await client.client.rawRequest<unknown, Record<string, unknown>>(
          document,
          variables,
        )
        budget.note(headers)
        const parsed = answer.safeParse(data)
        if (parsed.success) return parsed.data
        throw new SignalboxError(
          "unavailable",
          "Linear's API answers with something else than it documents",
          {
            cause: parsed.error,
          },
        )
      }),
  }
}

// One client a request: it takes the signal, and with it the time limit, only when it is made.
function clientOf({ apiUrl, credential, signal }: RemoteAccess): LinearClient {
  const isToken = /^(?:Bearer |lin_oauth_)/.test(credential)
  try {
    return new LinearClient({
      ...(isToken ? { accessToken: credential } : { apiKey: credential }),
      ...(apiUrl === null ? {} : { apiUrl }),
      redirect: "error", // a redirect would carry the key elsewhere
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
  } catch (cause) {
    throw new SignalboxError(
      "configuration",
      "the address of Linear's API must be an https URL, and the API key must not be empty",
      { cause },
    )
  }
}

function refusal(error: unknown, { clock }: RemoteAccess): SignalboxError {
  const cause = safeCause(error)
  if (!(error instanceof LinearError)) {
    return new SignalboxError("unavailable", "Linear's API could not be reached", { cause })
  }
  const { type, status } = parseLinearError(error)
  const headers = error.raw?.response?.headers
  if (type === LinearErrorType.Ratelimited || hasCode(error, "RATELIMITED") || status === 429) {
    return limited(waitSeconds(headers, clock()), cause)
  }
  if (status === 401 || (type === LinearErrorType.AuthenticationError && (error.errors ?? []).length > 0)) {
    return new SignalboxError("unauthenticated", "Linear refuses the API key: it is wrong or was revoked", {
      cause,
    })
  }
  if (type === LinearErrorType.Forbidden || type === LinearErrorType.FeatureNotAccessible) {
    return new SignalboxError(
      "forbidden",
      "Linear's API key may not do this: it needs the scope read, and admin to manage webhooks",
      { cause },
    )
  }
  if (status === undefined || status >= 500 || type === LinearErrorType.InternalError) {
    return new SignalboxError("unavailable", "Linear's API failed", { cause })
  }
  const said = firstLine(error.errors?.[0]?.message, 200) ?? type ?? status
  return new SignalboxError("bad_request", `Linear's API refuses the request: ${said}`, { cause })
}

function hasCode(error: LinearError, code: string): boolean {
  return listOf(error.raw?.response?.errors).some(
    (one) => fieldsOf(fieldsOf(one)["extensions"])["code"] === code,
  )
}

/** What of an error may be logged: the SDK's own holds the query with its variables, a secret among them. */
function safeCause(error: unknown): unknown {
  if (!(error instanceof LinearError)) return error
  const said = error.errors?.map(({ type, path }) => ({ type, path }))
  return new Error(`${error.type ?? "LinearError"} ${error.status ?? ""} ${JSON.stringify(said ?? [])}`)
}

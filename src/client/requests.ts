import { createCredentials, type CredentialOptions } from "./credentials.ts"
import { errorOf, SignalboxClientError, unreachable } from "./errors.ts"
import { addressFault } from "./hub-address.ts"

/** The part of `fetch` that the client needs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type RequestOptions = CredentialOptions & {
  /** Where the hub is: `https://hub.example`, with a path before its routes where it has one. */
  url: string | URL
  /** In place of the runtime's own `fetch`. */
  fetch?: Fetch | undefined
}

/** Requests to one hub. */
export interface Requests {
  /** Whether there is a key, or a function that gets one. */
  readonly hasCredential: boolean
  /** The address of a path of the hub. */
  address(path: string): string
  /**
   * Sends a request with the credential; where that is refused, once more with a new one. Throws a
   * `SignalboxClientError` for whatever is no success.
   */
  send(path: string, init?: RequestInit): Promise<Response>
  /** Sends a request without the credential. */
  sendBare(path: string, init: RequestInit): Promise<Response>
  /** As `send`, for an answer in JSON, whose type is the hub's promise; `begun` is told when it begins. */
  json<T>(path: string, init?: RequestInit, begun?: () => void): Promise<T>
  /** The headers that let a request in. */
  headers(): Promise<Record<string, string>>
}

/** Makes the way to a hub. */
export function createRequests(options: RequestOptions): Requests {
  const base = baseOf(options.url)
  const credentials = createCredentials(options)
  const fetchIt: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
  const address = (path: string): string => base + path

  async function attempt(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetchIt(address(path), init)
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      throw unreachable(`no hub answers at ${base}`, cause)
    }
  }

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    const credential = await credentials.current()
    let response = await attempt(path, authorized(init, credential))
    if (response.status === 401) {
      const renewed = await credentials.renew(credential)
      if (renewed !== credential) {
        await response.body?.cancel()
        response = await attempt(path, authorized(init, renewed))
      }
    }
    if (!response.ok) throw await errorOf(response)
    return response
  }

  async function json<T>(path: string, init: RequestInit = {}, begun?: () => void): Promise<T> {
    const response = await send(path, init)
    begun?.()
    let text: string
    try {
      text = await response.text()
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      throw unreachable(`the answer of ${base} broke off`, cause)
    }
    try {
      const value: T = JSON.parse(text)
      return value
    } catch (cause) {
      throw new SignalboxClientError("not_signalbox", `what answers at ${base} is no signalbox`, {
        status: response.status,
        cause,
      })
    }
  }

  return {
    hasCredential: options.key !== undefined || options.token !== undefined,
    address,
    send,
    sendBare: async (path, init) => {
      const response = await attempt(path, init)
      if (!response.ok) throw await errorOf(response)
      return response
    },
    json,
    headers: async () => ({ authorization: `Bearer ${await credentials.current()}` }),
  }
}

function baseOf(url: string | URL): string {
  const fault = addressFault(String(url))
  if (fault !== undefined) throw new SignalboxClientError("configuration", `url ${fault}`)
  const parsed = new URL(url)
  return parsed.origin + parsed.pathname.replace(/\/+$/, "")
}

function authorized(init: RequestInit, credential: string): RequestInit {
  const headers = new Headers(init.headers)
  headers.set("authorization", `Bearer ${credential}`)
  return { ...init, headers }
}

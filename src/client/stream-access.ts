import { askForToken, SignalboxClientError } from "./errors.ts"
import { queryString } from "./query.ts"
import type { Requests } from "./requests.ts"

/** Gets a token for one connection to a stream: what `POST /api/v1/streams/:name/token` gives to a key. */
export type StreamToken = (stream: string) => Promise<string>

/** What lets a connection to a stream in. */
export interface StreamAccess {
  /** Whether it goes by tokens alone, since there is no key, or tokens are what was asked for. */
  readonly byToken: boolean
  /** A new token, which is good for one connection. */
  token(): Promise<string>
  /** Sends a request for the stream. */
  send(path: string, init: RequestInit): Promise<Response>
}

/** Makes the access to one stream: by the credential, by tokens where there is none. */
export function createStreamAccess(
  requests: Requests,
  stream: string,
  streamToken: StreamToken | undefined,
): StreamAccess {
  async function token(): Promise<string> {
    if (streamToken !== undefined) return askForToken(() => streamToken(stream))
    const path = `/api/v1/streams/${encodeURIComponent(stream)}/token`
    const { token: given } = await requests.json<{ token: string }>(path, { method: "POST" })
    return given
  }

  async function sendWithToken(path: string, init: RequestInit): Promise<Response> {
    return requests.sendBare(`${path}&${queryString({ token: await token() }).slice(1)}`, init)
  }

  return {
    byToken: streamToken !== undefined,
    token,
    send: async (path, init) => {
      if (requests.hasCredential) return requests.send(path, init)
      try {
        return await sendWithToken(path, init)
      } catch (error) {
        if (!(error instanceof SignalboxClientError) || error.status !== 401) throw error
        return sendWithToken(path, init) // it may have been too old by the time it came
      }
    },
  }
}

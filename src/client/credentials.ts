import { askForToken, SignalboxClientError } from "./errors.ts"
import type { StreamToken } from "./stream-access.ts"

/** What lets the client in: an API key, or a function that gets a key or a token of one's own gateway. */
export type CredentialOptions =
  | { key: string; token?: undefined }
  | {
      key?: undefined
      /** Asked before the first request, and again when what it gave is refused (401). */
      token: () => string | Promise<string>
    }
  /** Neither: streams alone are open, by `streamToken`. */
  | { key?: undefined; token?: undefined; streamToken: StreamToken }

/** The credential in use. */
export interface Credentials {
  current(): Promise<string>
  /** Another one in the place of one that was refused; the same again where there is no other. */
  renew(refused: string): Promise<string>
}

/** Makes the credentials of a client; however many requests need a new one, it is asked for once. */
export function createCredentials({ key, token }: CredentialOptions): Credentials {
  let held: string | undefined = key === undefined ? undefined : checked(key, "key")
  let asking: Promise<string> | undefined

  async function ask(get: () => string | Promise<string>): Promise<string> {
    try {
      held = checked(await askForToken(get), "what token() gives")
      return held
    } finally {
      asking = undefined
    }
  }

  return {
    current: async () => {
      if (held !== undefined) return held
      if (token === undefined)
        throw new SignalboxClientError(
          "configuration",
          "give the client a key, or a function token that gets one",
        )
      return (asking ??= ask(token))
    },
    renew: async (refused) => {
      if (held !== undefined && held !== refused) return held // another request was faster
      return token === undefined ? refused : (asking ??= ask(token))
    },
  }
}

/** A header's error would name what it refuses. */
function checked(credential: unknown, what: string): string {
  if (typeof credential !== "string" || credential === "") {
    throw new SignalboxClientError("configuration", `${what} must be text, and not empty`)
  }
  if (/[^ -~\u00a0-\u00ff]/.test(credential)) {
    throw new SignalboxClientError("configuration", `${what} holds characters that no header can carry`)
  }
  return credential
}

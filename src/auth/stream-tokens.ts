import { randomBytes } from "node:crypto"
import { SignalboxError } from "../core/errors.ts"
import { findKeyLimits } from "../store/api-keys.ts"
import type { Db } from "../store/database.ts"
import { orUnavailable } from "../store/failure.ts"
import { insertStreamToken, takeStreamToken } from "../store/stream-tokens.ts"
import { hashKey } from "./keys.ts"
import type { Principal, Scope } from "./scopes.ts"

/** Tokens that open one stream once: what a browser may have in an address, where a key must never be. */
export interface StreamTokens {
  /** Makes a token for a stream, with the right of whoever asks. */
  issue(principal: Principal, stream: string, seconds: number): Promise<{ token: string; expiresAt: Date }>
  /** Who comes with a token; throws `unauthenticated` where it is used up, expired or for another stream. */
  redeem(token: string, stream: string): Promise<Principal>
}

/** Makes the tokens. They are kept in the database: any process may take what another has given out. */
export function createStreamTokens(db: Db): StreamTokens {
  return {
    issue: async ({ tenant, keyId }, stream, seconds) => {
      const token = `st_${randomBytes(32).toString("base64url")}`
      const expiresAt = await insertStreamToken(db, { hash: hashKey(token), tenant, keyId, stream, seconds })
      return { token, expiresAt }
    },
    redeem: async (token, stream) => {
      const found = await orUnavailable(takeStreamToken(db, hashKey(token), stream))
      const limits = found && (await orUnavailable(findKeyLimits(db, found.keyId)))
      if (found === undefined || limits === undefined) {
        throw new SignalboxError(
          "unauthenticated",
          "the token is used up, expired, or for another stream: ask for another one before each connection",
        )
      }
      return { keyId: found.keyId, tenant: found.tenant, scopes: new Set<Scope>(["streams:read"]), limits }
    },
  }
}

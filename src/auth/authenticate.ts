import { timingSafeEqual } from "node:crypto"
import { SignalboxError } from "../core/errors.ts"
import { adminKeyId, findApiKey, touchApiKey } from "../store/api-keys.ts"
import type { Db } from "../store/database.ts"
import { orUnavailable } from "../store/failure.ts"
import { hashKey } from "./keys.ts"
import { scopes, type Principal } from "./scopes.ts"

export interface AuthenticatorOptions {
  db: Db
  /** SIGNALBOX_ADMIN_KEY, good for every scope and, by `X-Signalbox-Tenant`, every tenant. */
  adminKey?: string | undefined
  /** Milliseconds that only ever rise: those of `performance.now()` unless given. */
  now?: () => number
}

/** Tells who holds a key; throws `unauthenticated` for none, or one that is not in force. */
export type Authenticate = (headers: Headers) => Promise<Principal>

const cacheMs = 5_000
const cacheSize = 1_000
// A key may hold blanks, as a passphrase does. One way only to match: strangers send this.
const bearer = /^Bearer +([^ ](?:.*[^ ])?) *$/i

/** Checks bearer keys. A key found is believed for five seconds; revoking takes at most that long. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { db, adminKey, now = () => performance.now() } = options
  const adminHash = adminKey === undefined ? undefined : hashKey(adminKey)
  const known = new Map<string, { principal: Principal; until: number }>()

  return async function authenticate(headers) {
    const key = bearer.exec(headers.get("authorization") ?? "")?.[1]
    if (key === undefined) {
      throw new SignalboxError("unauthenticated", "send an API key: Authorization: Bearer <key>")
    }
    const hash = hashKey(key)
    if (adminHash !== undefined && timingSafeEqual(hash, adminHash)) {
      const tenant = headers.get("x-signalbox-tenant") ?? "default"
      return { keyId: adminKeyId, tenant, scopes: new Set(scopes) }
    }
    const cacheKey = hash.toString("base64")
    const askedAt = now()
    const cached = known.get(cacheKey)
    if (cached !== undefined && cached.until > askedAt) return cached.principal
    known.delete(cacheKey)
    const row = await orUnavailable(findApiKey(db, hash))
    if (row === undefined) {
      throw new SignalboxError("unauthenticated", "the API key is unknown, expired or revoked")
    }
    await orUnavailable(touchApiKey(db, row.id))
    const { requestsPerSecond, eventsPerSecond } = row
    const limits = { requestsPerSecond, eventsPerSecond }
    const principal: Principal = { keyId: row.id, tenant: row.tenant, scopes: new Set(row.scopes), limits }
    if (known.size >= cacheSize) known.clear()
    known.set(cacheKey, { principal, until: askedAt + cacheMs })
    return principal
  }
}

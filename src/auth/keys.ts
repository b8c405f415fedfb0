import { createHash, randomBytes } from "node:crypto"
import type { Db } from "../store/database.ts"
import { hasKeyWithScope, insertApiKey, noLimits, type ApiKeyRow, type KeyLimits } from "../store/api-keys.ts"
import type { Scope } from "./scopes.ts"

export interface KeyRequest {
  tenant: string
  name: string
  scopes: readonly Scope[]
  expiresAt?: Date | null
  limits?: KeyLimits
}

/** SHA-256 of a key: what the database holds. */
export function hashKey(key: string): Buffer {
  return createHash("sha256").update(key).digest()
}

/** Makes a key of 256 random bits. The answer is the only place where it is ever seen. */
export async function createKey(db: Db, request: KeyRequest): Promise<{ key: string; row: ApiKeyRow }> {
  const key = `sb_${randomBytes(32).toString("base64url")}`
  const row = await insertApiKey(db, {
    tenant: request.tenant,
    name: request.name,
    prefix: key.slice(0, 8),
    hash: hashKey(key),
    scopes: request.scopes,
    expiresAt: request.expiresAt ?? null,
    ...(request.limits ?? noLimits),
  })
  return { key, row }
}

/** An admin key for a database that has none, or null where one is alive already. */
export async function createFirstAdminKey(db: Db): Promise<string | null> {
  if (await hasKeyWithScope(db, "admin")) return null
  const { key } = await createKey(db, { tenant: "default", name: "first start", scopes: ["admin"] })
  return key
}

import type { KeyLimits } from "../store/api-keys.ts"

/**
 * What a key may do. `admin` includes every other one; `events:raw` is apart from `events:read`
 * because bodies as received may hold what the payload shown elsewhere masks, and `groups:consume`
 * from `streams:read` because a member of a group takes its events away from the others.
 */
export const scopes = [
  "events:read",
  "events:raw",
  "events:write",
  "streams:read",
  "groups:consume",
  "admin",
] as const
export type Scope = (typeof scopes)[number]

/** Who makes a request, as its key tells. */
export interface Principal {
  /** Id of the key, or `admin` for SIGNALBOX_ADMIN_KEY. */
  keyId: string
  tenant: string
  scopes: ReadonlySet<string>
  /** Those of its key; absent where it has none. */
  limits?: KeyLimits
}

/** Whether a principal may do what `scope` stands for. */
export function allows(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has("admin") || principal.scopes.has(scope)
}

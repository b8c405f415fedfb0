import type { KeyLimits } from "../store/api-keys.ts"

/**
 * What a key may do. `admin` includes every other one but `metrics:read`, which tells of all tenants and is
 * given by the operator alone (SIGNALBOX_ADMIN_KEY, or the command line at the database); `events:raw` is apart from `events:read`
 * because bodies as received may hold what the payload shown elsewhere masks, and `groups:consume`
 * from `streams:read` because a member of a group takes its events away from the others.
 */
export const scopes = [
  "events:read",
  "events:raw",
  "events:write",
  "streams:read",
  "groups:consume",
  "metrics:read",
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
  return principal.scopes.has(scope) || (scope !== "metrics:read" && principal.scopes.has("admin"))
}

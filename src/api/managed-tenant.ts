import type { Principal } from "../auth/scopes.ts"
import { adminKeyId } from "../store/api-keys.ts"

/** The tenant that a principal administers; null for all of them. */
export function managedTenant(principal: Principal): string | null {
  return principal.keyId === adminKeyId ? null : principal.tenant
}

/** Whether a principal administers this tenant. */
export function mayManage(principal: Principal, tenant: string): boolean {
  return (managedTenant(principal) ?? tenant) === tenant
}

import type { Context, MiddlewareHandler } from "hono"
import { SignalboxError } from "../core/errors.ts"
import { takeRequest, type Allowances, type KeyAllowance } from "./allowances.ts"
import type { Authenticate } from "./authenticate.ts"
import { allows, type Principal, type Scope } from "./scopes.ts"
import type { StreamTokens } from "./stream-tokens.ts"

/** What authenticated routes find in their context. */
export interface AuthEnv {
  Variables: {
    /** Those of all keys: see `provideAllowances`. */
    allowances: Allowances
    principal: Principal
    /** What is left of the limits of the principal's key. */
    allowance: KeyAllowance
  }
}

/** Has every route below hold keys to their limits. */
export function provideAllowances(allowances: Allowances): MiddlewareHandler<AuthEnv> {
  return async function provideAllowancesMiddleware(c, next) {
    c.set("allowances", allowances)
    await next()
  }
}

/**
 * Lets a request through if its key has the scope; 401 without a valid key, 403 without the scope, 429 where
 * the key has made as many requests as it may.
 */
export function requireScope(authenticate: Authenticate, scope: Scope): MiddlewareHandler<AuthEnv> {
  return async function requireScopeMiddleware(c, next) {
    const principal = await authenticate(c.req.raw.headers)
    if (!allows(principal, scope)) {
      throw new SignalboxError("forbidden", `this key lacks the scope ${scope}`)
    }
    letIn(c, principal)
    await next()
  }
}

/** Lets a stream be opened by a key with `streams:read`, or by a token of its own as `?token=`. */
export function requireStreamAccess(
  authenticate: Authenticate,
  tokens: Pick<StreamTokens, "redeem">,
): MiddlewareHandler<AuthEnv> {
  const byKey = requireScope(authenticate, "streams:read")
  return async function requireStreamAccessMiddleware(c, next) {
    const token = c.req.query("token")
    if (token === undefined) return byKey(c, next)
    letIn(c, await tokens.redeem(token, c.req.param("name") ?? "all_events"))
    await next()
  }
}

function letIn(c: Context<AuthEnv>, principal: Principal): void {
  const isCounted = c.get("principal") !== undefined // by another middleware on the same path
  const allowance = c.var.allowances.of(principal.keyId, principal.limits)
  if (!isCounted) takeRequest(allowance)
  c.set("principal", principal)
  c.set("allowance", allowance)
}

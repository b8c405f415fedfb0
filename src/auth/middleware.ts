import type { MiddlewareHandler } from "hono"
import { SignalboxError } from "../core/errors.ts"
import type { Authenticate } from "./authenticate.ts"
import { allows, type Principal, type Scope } from "./scopes.ts"

/** What authenticated routes find in their context. */
export interface AuthEnv {
  Variables: { principal: Principal }
}

/** Lets a request through if its key has the scope; 401 without a valid key, 403 without the scope. */
export function requireScope(authenticate: Authenticate, scope: Scope): MiddlewareHandler<AuthEnv> {
  return async function requireScopeMiddleware(c, next) {
    const principal = await authenticate(c.req.raw.headers)
    if (!allows(principal, scope)) {
      throw new SignalboxError("forbidden", `this key lacks the scope ${scope}`)
    }
    c.set("principal", principal)
    await next()
  }
}

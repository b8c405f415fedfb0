import type { Env, Hono } from "hono"
import { problemHandlers } from "../../src/api/problem.ts"
import { silentLog } from "../../src/core/log.ts"

/** Has an app of a test's own answer errors as the API does, and log none of them. */
export function quietProblems<AppEnv extends Env>(app: Hono<AppEnv>): Hono<AppEnv> {
  const { onError, notFound } = problemHandlers(silentLog)
  return app.onError(onError).notFound(notFound)
}

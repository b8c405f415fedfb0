import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import { onTestFinished } from "vitest"
import { groupMemberRoutes, type MemberLimits } from "../../../src/api/group-members.ts"
import { listen } from "../../../src/api/http-server.ts"
import { problemHandlers } from "../../../src/api/problem.ts"
import { createAllowances } from "../../../src/auth/allowances.ts"
import { createAuthenticator } from "../../../src/auth/authenticate.ts"
import { provideAllowances, requireScope, type AuthEnv } from "../../../src/auth/middleware.ts"
import { silentLog } from "../../../src/core/log.ts"
import { createGroups } from "../../../src/groups/create-groups.ts"
import { createSharedHistory } from "../../../src/groups/shared-history.ts"
import { createFeed } from "../../../src/streaming/feed.ts"
import { createStreamDefinitions } from "../../../src/streaming/stream-definitions.ts"
import { adminKey, type TestHub } from "../../support/hub.ts"

/** Serves the members of groups from a hub's database with limits of its own; ends with the test. */
export async function startMemberServer(
  { database }: Pick<TestHub, "database">,
  limits: MemberLimits,
): Promise<{ url: string; port: number }> {
  const feed = createFeed({ database, log: silentLog })
  const groups = createGroups({
    database,
    feed,
    history: createSharedHistory(database),
    definitions: createStreamDefinitions(database),
    log: silentLog,
  })
  const authenticate = createAuthenticator({ db: database.work, adminKey })
  const app = new Hono<AuthEnv & { Bindings: HttpBindings }>()
  app.onError(problemHandlers(silentLog).onError)
  app.use(provideAllowances(createAllowances()), requireScope(authenticate, "groups:consume"))
  app.route("/api/v1/consumer-groups", groupMemberRoutes(groups, authenticate, silentLog, limits))
  feed.start()
  groups.start()
  const server = await listen(app.fetch, { host: "127.0.0.1", port: 0 })
  onTestFinished(async () => {
    await groups.stop()
    await server.close(0)
    await feed.stop()
  })
  return server
}

import type { Config } from "./config.ts"
import type { Log } from "./core/log.ts"
import { createGroups, type Groups } from "./groups/create-groups.ts"
import { createSharedHistory } from "./groups/shared-history.ts"
import type { Database } from "./store/database.ts"
import type { Feed } from "./streaming/feed.ts"
import type { StreamDefinitions } from "./streaming/stream-definitions.ts"

interface StartGroupsOptions {
  database: Database
  feed: Feed
  /** Told of changes, as streams are. */
  definitions: StreamDefinitions
  log: Log
}

/** Serves the members of consumer groups until `stack` is disposed, where the roles of this process ask for it. */
export function startGroups(
  stack: AsyncDisposableStack,
  { roles }: Pick<Config, "roles">,
  { database, feed, definitions, log }: StartGroupsOptions,
): Groups | undefined {
  if (!roles.has("stream") && !roles.has("api")) return undefined
  const groups = createGroups({
    database,
    feed,
    history: createSharedHistory(database),
    definitions,
    log: log.child({ part: "groups" }),
  })
  groups.start()
  stack.defer(() => groups.stop())
  return groups
}

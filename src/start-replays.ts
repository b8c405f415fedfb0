import type { Clock } from "./core/clock.ts"
import type { Log } from "./core/log.ts"
import type { ReplayAdmin } from "./core/replay.ts"
import { compileName } from "./handlers/event-names.ts"
import { createReplays } from "./replay/create-replays.ts"
import { createReplayAdmin } from "./replay/replay-admin.ts"
import type { Database } from "./store/database.ts"

/** Moves replays on, until `stack` is disposed. */
export function startReplays(
  stack: AsyncDisposableStack,
  { database, clock, log }: { database: Database; clock: Clock; log: Log },
): void {
  const replays = createReplays({ pool: database.work, clock, log, compileName })
  stack.defer(() => replays.stop())
  replays.start()
}

/** What the API needs to make replays and to end them, in whatever process it runs. */
export function replayAdmin(database: Database): ReplayAdmin {
  return createReplayAdmin(database, compileName)
}

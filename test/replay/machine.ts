import { onTestFinished } from "vitest"
import { createConsumers, type Consumers } from "../../src/consumers/create-consumers.ts"
import type { ConsumerDefinition } from "../../src/consumers/definition.ts"
import { silentLog } from "../../src/core/log.ts"
import type { Replay, ReplayRequest } from "../../src/core/replay.ts"
import { compileName } from "../../src/handlers/event-names.ts"
import { createReplays } from "../../src/replay/create-replays.ts"
import { createReplayAdmin } from "../../src/replay/replay-admin.ts"
import type { Database } from "../../src/store/database.ts"
import { findReplay } from "../../src/store/replays.ts"
import { eventually, readerOf } from "../consumers/log.ts"

const clock = () => new Date()

/** Runs consumers and moves replays on, as a process of a hub does; stopped when the test ends. */
export async function startMachine(
  database: Database,
  definitions: readonly ConsumerDefinition[],
): Promise<Consumers> {
  const consumers = createConsumers({ database, read: readerOf(database), log: silentLog, beatMs: 50 })
  for (const definition of definitions) consumers.add(definition)
  onTestFinished(() => consumers.stop())
  await consumers.start()
  moveReplays(database)
  return consumers
}

/** Moves replays on until the test ends. */
export function moveReplays(database: Database): void {
  const replays = createReplays({ pool: database.work, clock, log: silentLog, compileName, pollMs: 50 })
  onTestFinished(() => replays.stop())
  replays.start()
}

/** A handler's definition, that takes whatever there is. */
export function handlerOf(
  name: string,
  run: ConsumerDefinition["run"],
  options: Partial<ConsumerDefinition> = {},
): ConsumerDefinition {
  const retry = { initialMs: 10, maxMs: 20 }
  const stream = "all_events"
  return { name, kind: "handler", tenant: "default", stream, matches: () => true, run, retry, ...options }
}

/** Makes, watches and ends replays of the tenant `default`. */
export function replaysOf(database: Database) {
  const admin = createReplayAdmin(database, compileName)
  const shown = async (id: string): Promise<Replay> => {
    const replay = await findReplay(database.work, "default", id)
    if (replay === undefined) throw new Error("there is no such replay")
    return replay
  }
  return {
    ...admin,
    shown,
    async start(to: string, request: Partial<ReplayRequest> = {}): Promise<string> {
      const whole = { ...defaults, ...request, to }
      const { replay } = await admin.create("default", whole, { everyTenant: true, keyId: "test" })
      return replay.id
    },
    until: (id: string, holds: (replay: Replay) => boolean, ms = 60_000) =>
      eventually(() => shown(id), holds, ms),
    completed: (id: string, ms = 60_000) =>
      eventually(
        () => shown(id),
        ({ status }) => status === "completed",
        ms,
      ),
  }
}

/** What a request says where it says nothing. */
export const defaults: Omit<ReplayRequest, "to"> = {
  filter: {},
  since: null,
  until: null,
  correlationId: null,
  deliveries: null,
  entity: null,
  after: null,
  upTo: null,
  ratePerSecond: null,
  maxOutstanding: 1_000,
}

import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { ConsumerDefinition, RunContext } from "./definition.ts"
import { inTime } from "./in-time.ts"

/** The part of a consumer that a single run needs. */
export type Runnable = Pick<ConsumerDefinition, "name" | "run" | "timeoutMs">

/** Runs a consumer on one event, as `inTime` does. */
export function runOnce(
  { name, run, timeoutMs }: Runnable,
  event: LoggedEvent,
  told: Pick<RunContext, "attempt" | "replayId">,
  log: Log,
  stop: AbortSignal,
): Promise<unknown> {
  return inTime("the run", { timeoutMs, stop }, (signal) =>
    run(event, { ...told, consumer: name, signal, log }),
  )
}

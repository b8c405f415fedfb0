import { readFile } from "node:fs/promises"
import type { NatsMetrics } from "./api/nats-metrics.ts"
import type { Config } from "./config.ts"
import { SignalboxError } from "./core/errors.ts"
import type { ComponentState } from "./core/component.ts"
import type { Log } from "./core/log.ts"
import type { LogTail } from "./core/log-tail.ts"
import { createNatsLink } from "./nats/link.ts"
import { createPublisher } from "./nats/publisher.ts"
import { subjectNames } from "./nats/subject.ts"
import { createNatsTail } from "./nats/tail.ts"
import type { Database } from "./store/database.ts"

/** What NATS is to the other parts of a process. */
export interface StartedNats {
  /** The news of the log, where this process serves streams. */
  tail: LogTail | undefined
  metrics: Omit<NatsMetrics, "streaming">
  state: () => ComponentState
}

/**
 * Connects to NATS in the background and, in a process that has the role `worker`, publishes the log
 * there, until `stack` is disposed. Undefined where there is no NATS_URL. Throws `configuration` where the
 * credentials cannot be read; that NATS is away throws nothing.
 */
export async function startNats(
  stack: AsyncDisposableStack,
  { config, database, log }: { config: Config; database: Database; log: Log },
): Promise<StartedNats | undefined> {
  const { nats: settings, roles } = config
  if (settings === undefined) return undefined
  const names = subjectNames(settings.prefix)
  const { address, credentialsFile } = settings
  const credentials = credentialsFile === undefined ? undefined : await readCredentials(credentialsFile)
  const link = createNatsLink({ address, credentials, log })
  link.start()
  stack.defer(() => link.stop())
  const publisher = roles.has("worker")
    ? createPublisher({ link, database, names, settings, log })
    : undefined
  publisher?.start()
  stack.defer(async () => publisher?.stop())
  return {
    tail: roles.has("stream") ? createNatsTail({ link, names, log }) : undefined,
    state: () =>
      link.state.connected
        ? { state: "connected" }
        : { state: "away", problem: "not connected; streams read the database meanwhile" },
    metrics: {
      stream: names.stream,
      state: () => ({ ...link.state, publishing: publisher?.publishing ?? false }),
    },
  }
}

async function readCredentials(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new SignalboxError(
      "configuration",
      "configuration: SIGNALBOX_NATS_CREDS names a file that cannot be read",
      {
        cause,
      },
    )
  }
}

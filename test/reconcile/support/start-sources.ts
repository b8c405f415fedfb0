import { afterAll } from "vitest"
import { systemClock } from "../../../src/core/clock.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Platform } from "../../../src/core/platform.ts"
import type { Source } from "../../../src/core/source.ts"
import type { Ingest } from "../../../src/ingest/ingest.ts"
import { createProcessor } from "../../../src/processing/processor.ts"
import { createQueue } from "../../../src/queue/queue.ts"
import type { Database } from "../../../src/store/database.ts"
import { startIngest } from "../../ingest/support/start-ingest.ts"
import { linkAll } from "../../processing/obedient.ts"
import { testDatabase } from "../../support/database.ts"

/** A way in and the processing behind it, for sources of one platform. */
export interface RunningSources {
  database: Database
  /** Where webhooks are sent, without a slash at the end. */
  url: string
  submit: Ingest["submit"]
  /** Sources by name; none yet. */
  sources: Map<string, Source>
}

/** Starts all of it on a database of the test file's own; it ends after the file. */
export async function startSources(platform: Platform): Promise<RunningSources> {
  const database = await testDatabase()
  const queue = createQueue({ url: database.url, log: silentLog })
  await queue.start()
  const processor = createProcessor({
    database,
    queue,
    platforms: [platform],
    correlate: linkAll,
    clock: systemClock,
    log: silentLog,
  })
  await processor.start()
  const sources = new Map<string, Source>()
  const { url, ingest } = await startIngest({
    database,
    platforms: [platform],
    secrets: {},
    sources: { find: (_platform, name) => sources.get(name) },
  })
  afterAll(async () => {
    await processor.stop()
    await queue.stop()
  })
  return { database, url, submit: ingest.submit, sources }
}

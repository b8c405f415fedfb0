// A process of its own that reconciles one source, for tests that kill it: what it takes is JSON in its
// first argument, and how it ended is the last line that it prints.
import { silentLog } from "../../../src/core/log.ts"
import type { Source } from "../../../src/core/source.ts"
import { createIngest } from "../../../src/ingest/ingest.ts"
import { platforms } from "../../../src/platforms/index.ts"
import { createQueue } from "../../../src/queue/queue.ts"
import type { ReconcileOptions } from "../../../src/reconcile/options.ts"
import { reconcileSource } from "../../../src/reconcile/reconcile-source.ts"
import { openDatabase } from "../../../src/store/database.ts"

/** What the child is started with. */
export interface ChildTask {
  databaseUrl: string
  source: Source
  credential: string
  apiUrl: string
  /** Milliseconds by which its clock is ahead. */
  ahead: number
  options: ReconcileOptions
}

const task = JSON.parse(process.argv[2] ?? "") as ChildTask
const { databaseUrl, source, credential, apiUrl, ahead, options } = task
const clock = (): Date => new Date(Date.now() + ahead)
const log = silentLog
const queue = createQueue({ url: databaseUrl, log })
await queue.start()
const database = openDatabase({ url: databaseUrl })
const { jobStatements } = queue
const ingest = createIngest({
  databaseUrl,
  platforms,
  sources: { find: () => undefined },
  jobStatements,
  log,
  clock,
})
const platform = platforms.find(({ name }) => name === source.platform)
if (platform === undefined) throw new Error(`no platform ${source.platform}`)
const outcome = await reconcileSource(
  { pool: database.work, submit: ingest.submit, clock, log, options },
  { source, platform, credential, apiUrl },
  { signal: new AbortController().signal },
)
process.stdout.write(`${JSON.stringify(outcome)}\n`)
await ingest.close()
await queue.stop()
await database.close()

// Reconciles GitHub's source once, as a process that may be killed at any point, and prints how it
// ended. Arguments: a JSON object of the database's URL, the source's id and name, the API's address, the token.
import { z } from "zod"
import { systemClock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { createIngest } from "../../src/ingest/ingest.ts"
import { github } from "../../src/platforms/github/index.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { reconcileSource } from "../../src/reconcile/reconcile-source.ts"
import { openDatabase } from "../../src/store/database.ts"

const given = z
  .object({
    databaseUrl: z.string(),
    sourceId: z.string(),
    name: z.string(),
    apiUrl: z.string(),
    credential: z.string(),
  })
  .parse(JSON.parse(process.argv[2] ?? "{}"))
const database = openDatabase({ url: given.databaseUrl })
const queue = createQueue({ url: given.databaseUrl, log: silentLog })
await queue.start()
const source = {
  id: given.sourceId,
  tenant: "default",
  platform: "github",
  name: given.name,
  settings: {},
  secrets: [],
}
const ingest = createIngest({
  databaseUrl: given.databaseUrl,
  platforms: [github],
  sources: { find: () => source },
  jobStatements: queue.jobStatements,
  log: silentLog,
})
const options = { settleMs: 0, patienceMs: 2_000, spacingMs: 0, leaseMs: 600, processingMs: 20_000 }
const parts = { pool: database.work, submit: ingest.submit, clock: systemClock, log: silentLog, options }
const target = { source, platform: github, credential: given.credential, apiUrl: given.apiUrl }
const outcome = await reconcileSource(parts, target, { signal: new AbortController().signal })
process.stdout.write(`${JSON.stringify(outcome)}\n`)
process.exit(0)

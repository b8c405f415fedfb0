// A process of its own that reconciles one source of a world, for tests that kill it. In the environment:
// DATABASE_URL, and TARGET with the source and the address of its provider.
import { systemClock } from "../../../src/core/clock.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Source } from "../../../src/core/source.ts"
import { createIngest } from "../../../src/ingest/ingest.ts"
import { createQueue } from "../../../src/queue/queue.ts"
import { reconcileSource } from "../../../src/reconcile/reconcile-source.ts"
import { openDatabase } from "../../../src/store/database.ts"
import { hasty } from "./hasty.ts"
import { worldPlatform } from "./world-platform.ts"

const url = process.env["DATABASE_URL"] ?? ""
const { source, apiUrl } = JSON.parse(process.env["TARGET"] ?? "") as { source: Source; apiUrl: string }
const database = openDatabase({ url })
const queue = createQueue({ url, log: silentLog })
await queue.start()
const ingest = createIngest({
  databaseUrl: url,
  platforms: [worldPlatform],
  sources: { find: () => undefined },
  jobStatements: queue.jobStatements,
  log: silentLog,
})
for (;;) {
  const { status } = await reconcileSource(
    { pool: database.work, submit: ingest.submit, clock: systemClock, log: silentLog, options: hasty },
    { source, platform: worldPlatform, credential: "token", apiUrl },
    { signal: new AbortController().signal },
  )
  process.send?.(status)
  if (status !== "busy") break
  await new Promise((resolve) => setTimeout(resolve, 20)) // until the lease of the one before runs out
}
await ingest.close()
await queue.stop()
await database.close()
process.disconnect()

// A process of its own with a processor, for tests that kill it: DATABASE_URL in the environment.
import { systemClock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { createProcessor } from "../../src/processing/processor.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { linkAll, obedient } from "./obedient.ts"

const url = process.env["DATABASE_URL"] ?? ""
const queue = createQueue({ url, log: silentLog })
await queue.start()
const processor = createProcessor({
  database: { url },
  queue,
  platforms: [obedient],
  correlate: linkAll,
  clock: systemClock,
  log: silentLog,
  retryDelayMs: () => 1,
})
await processor.start()
process.send?.("started")

import { afterAll } from "vitest"
import type { StoryRequest } from "../../fixtures/correlation/request.ts"
import type { Clock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createProcessor } from "../../src/processing/processor.ts"
import { createQueue } from "../../src/queue/queue.ts"
import type { Database } from "../../src/store/database.ts"
import { startIngest } from "../ingest/support/start-ingest.ts"
import { untilLogged } from "../processing/support.ts"

/** Takes requests in, one after the other, and waits until they are in the log; answers which were repeats. */
export type TakeIn = (tenant: string, requests: readonly StoryRequest[]) => Promise<boolean[]>

/** After all that the requests tell of: what happens in the future counts as happening when it comes. */
const afterwards: Clock = () => new Date("2026-12-01T00:00:00Z")

/** A way in and the workers behind it, as a hub has them; they end after the test file. */
export async function startTakingIn(database: Database, clock: Clock = afterwards): Promise<TakeIn> {
  const { ingest } = await startIngest({ database, secrets: {}, clock })
  const queue = createQueue({ url: database.url, log: silentLog })
  const { correlate } = createCorrelation({ platforms })
  const processor = createProcessor({ database, queue, platforms, correlate, clock, log: silentLog })
  afterAll(async () => {
    await processor.stop()
    await queue.stop()
  })
  await queue.start()
  await processor.start()
  return async (tenant, requests) => {
    const ids = new Set<string>()
    const repeats: boolean[] = []
    for (const { platform, body, headers } of requests) {
      const receipt = await ingest.submit({
        platform,
        tenant,
        source: "default",
        body: Buffer.from(body),
        contentType: headers["content-type"] ?? "application/json",
        headers,
      })
      ids.add(receipt.eventId)
      repeats.push(receipt.duplicate)
    }
    await untilLogged(database, [...ids])
    return repeats
  }
}

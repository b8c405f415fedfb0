import type { BenchOptions, BenchReport } from "./support/result.ts"
import { runStreamBench, streamOptions } from "./support/stream-bench.ts"

const path = "/api/v1/events/stream?heartbeat=300"

export const options = streamOptions

/** Server-Sent Events of ours against Hono's `streamSSE` on the same log. */
export function run(given: BenchOptions): Promise<BenchReport> {
  return runStreamBench(
    {
      bench: "sse",
      ours: { script: new URL("support/stream-server.ts", import.meta.url), transport: "sse", path },
      baseline: {
        name: "streamSSE",
        script: new URL("support/textbook-sse-server.ts", import.meta.url),
        transport: "sse",
        path,
      },
    },
    given,
  )
}

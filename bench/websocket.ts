import type { BenchOptions, BenchReport } from "./support/result.ts"
import { runStreamBench, streamOptions } from "./support/stream-bench.ts"

const path = "/api/v1/streams/all_events/ws"

export const options = streamOptions

/** WebSockets of ours against `ws` with one `send` a client and event, on the same log. */
export function run(given: BenchOptions): Promise<BenchReport> {
  return runStreamBench(
    {
      bench: "websocket",
      ours: {
        script: new URL("support/stream-server.ts", import.meta.url),
        transport: "websocket",
        path: `${path}?heartbeat=300`,
      },
      baseline: {
        name: "wsSend",
        script: new URL("support/textbook-websocket-server.ts", import.meta.url),
        transport: "websocket",
        path,
      },
    },
    given,
  )
}

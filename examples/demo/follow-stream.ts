import { eventLine } from "../../src/cli/event-line.ts"
import { readSse } from "../../src/cli/read-sse.ts"

/** Prints the live stream; `complete` resolves once `count` events have come. Resolves when connected. */
export async function followStream(
  url: string,
  key: string,
  count: number,
): Promise<{ complete: Promise<void> }> {
  const response = await fetch(`${url}/api/v1/events/stream?after=earliest`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(30_000),
  })
  if (!response.ok) throw new Error(`the stream answered ${response.status}`)
  return { complete: printEvents(response, count) }
}

async function printEvents(response: Response, count: number): Promise<void> {
  let seen = 0
  for await (const { data } of readSse(response)) {
    if (data === "") continue
    process.stdout.write(`${eventLine(data)}\n`)
    if (++seen === count) return
  }
  throw new Error(`the stream ended after ${seen} of ${count} events`)
}

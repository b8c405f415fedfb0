import { createSseParser } from "../client/sse-parser.ts"

/** The messages of an event stream, each with the id that it leaves the stream at, until it ends. */
export async function* readSse(response: Response): AsyncGenerator<{ id: string; data: string }, void> {
  const parser = createSseParser()
  for await (const bytes of response.body ?? []) {
    for (const item of parser.push(bytes)) {
      if (item.kind === "message") yield { id: item.lastEventId, data: item.data }
    }
  }
}

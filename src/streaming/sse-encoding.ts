import type { Encoding } from "./encoding.ts"
import { jsonArray } from "./json-array.ts"

/** Server-Sent Events (HTML, section 9.2) as they are. */
export const sseEncoding: Encoding = {
  name: "sse",
  frame: (entry) => entry.frame(),
  // The id at once: a client cut off before its first event resumes from where it began.
  opening: (position) => Buffer.from(`: from position ${position}\nretry: 500\nid: ${position}\n\n`),
  // An `id` without data dispatches nothing, yet moves the last event id (9.2.6): a client whose filter
  // lets little pass resumes from here, and not from the last event it saw long ago.
  beat: (position, isKnown) => (isKnown ? stillHere : Buffer.from(`:\nid: ${position}\n\n`)),
  broadcast: (json) => Buffer.from(`event: broadcast\ndata: ${json}\n\n`),
  farewell: ({ retryMs, ...ending }) =>
    Buffer.from(`retry: ${retryMs}\nevent: end\ndata: ${JSON.stringify(ending)}\n\n`),
}

/** The same with up to `size` events in a message, as a JSON array; its id is the position of the last. */
export function sseInBatches(size: number): Encoding {
  return {
    ...sseEncoding,
    name: `${sseEncoding.name}+batch${size}`,
    batches: {
      size,
      frame: (events) =>
        Buffer.concat([
          Buffer.from("event: batch\ndata: "),
          jsonArray(events),
          Buffer.from(`\nid: ${events.at(-1)?.position}\n\n`),
        ]),
    },
  }
}

const stillHere = Buffer.from(":\n\n")

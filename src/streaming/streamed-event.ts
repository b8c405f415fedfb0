import { copyEvent } from "../core/copy-event.ts"
import type { LoggedEvent } from "../core/envelope.ts"
import { maskedPayload } from "../core/mask.ts"

/** An event as a stream within the process hands it out: `payload` is the body parsed, its secrets masked. */
export type StreamedEvent = LoggedEvent & { readonly payload: unknown }

/** Adds the payload, parsed when first asked for; reading it throws `malformed_json` where it is none. */
export function toStreamedEvent(event: LoggedEvent): StreamedEvent {
  let parsed: { value: unknown } | undefined
  return {
    ...copyEvent(event), // several streams hand out what the feed has read once
    get payload() {
      parsed ??= { value: maskedPayload(event.raw, event.contentType) }
      return parsed.value
    },
  }
}

import { SignalboxError } from "../../../core/errors.ts"
import type { CommandContext } from "../../command.ts"
import { readSse } from "../../read-sse.ts"
import { requestHub } from "../../remote.ts"

export interface StreamRequest {
  /** Address of the hub's API. */
  hub: string
  tenant: string
  platform: string
  source: string
  /** Ends the waiting. */
  end: AbortSignal
}

/** A stream that is open: whatever is processed from now on comes by it. */
export interface OpenStream {
  /** Waits for an event, and answers its position. Throws `unavailable` where it does not come in time. */
  find(eventId: string): Promise<number>
}

/** Opens the stream of a source's events. */
export async function openStream(
  context: CommandContext,
  { hub, tenant, platform, source, end }: StreamRequest,
): Promise<OpenStream> {
  const filter = JSON.stringify({ platforms: [platform], sources: [source] })
  const path = `/api/v1/events/stream?${new URLSearchParams({ filter }).toString()}`
  const response = await requestHub(
    { ...context, options: { ...context.options, url: hub }, signal: end },
    path,
    { headers: { "x-signalbox-tenant": tenant } }, // SIGNALBOX_ADMIN_KEY alone obeys it
  ).catch((cause: unknown) => {
    throw cause instanceof SignalboxError
      ? cause
      : new SignalboxError("unavailable", `the streams at ${hub} give no answer in time`, { cause })
  })
  return {
    async find(eventId) {
      try {
        for await (const { id, data } of readSse(response)) {
          if (data.includes(eventId) && isEvent(data, eventId)) return Number(id)
        }
      } catch (error) {
        if (!end.aborted) throw error
      }
      throw new SignalboxError(
        "unavailable",
        `it was stored and did not come by the stream in time: is a process with the role worker running, and is the key of tenant ${tenant}? GET /api/v1/events/${eventId} tells what became of it`,
      )
    },
  }
}

function isEvent(data: string, eventId: string): boolean {
  const event: unknown = JSON.parse(data)
  return typeof event === "object" && event !== null && "id" in event && event.id === eventId
}

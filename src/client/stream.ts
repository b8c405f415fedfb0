import { SignalboxClientError } from "./errors.ts"
import { follow, followOptionNames, type EventStream, type FollowOptions } from "./follow.ts"
import { checkOptions, type OptionNames } from "./known-options.ts"
import { filterOptionNames, filterParameter, queryString, type FilterOptions } from "./query.ts"
import type { Requests } from "./requests.ts"
import type { Cursor } from "./signals.ts"
import { connectBySse } from "./sse.ts"
import { createStreamAccess, type StreamToken } from "./stream-access.ts"
import { connectByWebsocket, type OpenWebSocket } from "./websocket.ts"

/** What of a stream is wanted, and how. */
export interface StreamOptions extends FollowOptions, FilterOptions {
  /**
   * Seconds of silence after which the hub gives a sign of life (15). After two and a half times as long without
   * one, the connection is taken for dead and opened anew.
   */
  heartbeat?: number | undefined
  /** What the client calls itself among the hub's connections; broadcasts may be for this name. */
  clientName?: string | undefined
  /** `sse`, the default, takes headers everywhere and is read no faster than its events are taken. */
  transport?: "sse" | "websocket" | undefined
}

const optionNames = {
  ...followOptionNames,
  ...filterOptionNames,
  heartbeat: true,
  clientName: true,
  transport: true,
} satisfies OptionNames<StreamOptions>

export interface StreamParts {
  requests: Requests
  openWebSocket?: OpenWebSocket | undefined
  streamToken?: StreamToken | undefined
}

const silentHeartbeats = 2.5

/** Makes a stream of a hub; nothing is sent before its first event is asked for. */
export function createStream(
  parts: StreamParts,
  streams: string | readonly string[],
  options: StreamOptions,
): EventStream {
  const { requests, openWebSocket: open, streamToken } = parts
  checkOptions("stream", options, optionNames)
  const { heartbeat = 15, transport = "sse", clientName } = options
  if (transport !== "sse" && transport !== "websocket") {
    const given = JSON.stringify(transport)
    throw new SignalboxClientError("bad_request", `transport must be sse or websocket, not ${given}`)
  }
  const name = typeof streams === "string" && !/[*,]/.test(streams) ? streams : null
  // Whoever may read all events may read any of them.
  const access = createStreamAccess(requests, name ?? "all_events", streamToken)
  const filter = filterParameter(options)
  const silenceMs = heartbeat * 1000 * silentHeartbeats
  const wanted = { filter, heartbeat, client: clientName }
  const pathOf = (ending: string) => (after: Cursor) =>
    name === null
      ? `/api/v1/events/stream${queryString({ topics: String(streams), after, ...wanted })}`
      : `/api/v1/streams/${encodeURIComponent(name)}/${ending}${queryString({ after, ...wanted })}`
  const connect =
    transport === "sse"
      ? connectBySse({ access, path: pathOf("sse"), silenceMs })
      : connectByWebsocket({ requests, access, path: pathOf("ws"), silenceMs, open })
  return follow(connect, options)
}

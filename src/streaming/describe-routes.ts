import { z } from "zod"
import type { RouteDescription } from "../core/route-description.ts"
import type { streamParameters } from "./stream-request.ts"

type Parameter = (typeof streamParameters)[number]

const text = z.string().optional()

/** Read by `parseStreamRequest`, in words and not by a schema; a name that is added there has to be described here. */
const query = {
  after: text,
  filter: text,
  platforms: text,
  types: text,
  entities: text,
  actors: text,
  sources: text,
  priority: text,
  heartbeat: z.coerce.number().int().min(1).max(300).default(15),
  batch: z.coerce.number().int().min(1).max(1_000).optional(),
  client: z.string().max(200).optional(),
  topics: text,
  token: text,
} satisfies Record<Parameter, z.ZodType>
const { topics: _, ...ofOneStream } = query

const words = {
  name: "Name of the stream: `all_events`, `github_events`, `pr_events`, … or one of your own.",
  after: "Position behind which to begin, `earliest` or `latest`, which is usual.",
  heartbeat: "Seconds between signs of life where nothing else is sent.",
  batch: "Sends up to so many events in one message, as a list; each in its own without it.",
  client: "What the client calls itself, for its operators to see.",
  topics: "Streams to be read as one: names and patterns such as `deploys.*`, comma-separated.",
  token: "A token of `POST /api/v1/streams/{name}/token` in place of a key, for a page in a browser.",
}

const lastEventId = {
  "Last-Event-ID": "Position to go on behind, as an EventSource sends it by itself; comes before `after`.",
}

const group = "Streams"

const resume = `Begins behind \`after\`, with what the log holds already, and goes on with what comes, each event once and in the order of the log. Every event comes with its position: to resume, give the last one back. Positions that retention has dropped are told as a \`gap\` with \`from\` and \`to\`, and never passed over in silence. A client that reads too slowly is ended, and may resume.`

const sse = `${resume}

A frame has \`id:\` (the position), \`event:\` (the type) and \`data:\` (the event as JSON, as \`GET /api/v1/events/{id}\` answers it). Frames are compressed where \`Accept-Encoding\` has br or gzip.`

const frames = {
  200: {
    words: "Frames of Server-Sent Events, for as long as the client stays.",
    mediaType: "text/event-stream",
    schema: z.string(),
  },
}

const messages =
  "Each message is JSON with a `kind`: `open`, `event` (`{kind, position, event}`), `gap` (`{kind, position, from, to}`), `position` (a sign of life, and where to resume), `batch`, `broadcast` and, as the last one, `end`."

const upgraded = { words: "The connection goes on as a WebSocket." }

const route = {
  method: "get",
  group,
  scope: "streams:read",
  headers: lastEventId,
  words,
  problems: [404],
} as const

/** What `streamRoutes` serves. */
export const streamRouteDescriptions: RouteDescription[] = [
  {
    ...route,
    path: "/api/v1/events/stream",
    summary: "Follow events live: one stream, or several as one",
    details: `${sse}\n\nWith \`Upgrade: websocket\` it is a WebSocket. ${messages}`,
    query: z.strictObject(query),
    answers: { ...frames, 101: upgraded },
  },
  {
    ...route,
    path: "/api/v1/streams/{name}/sse",
    summary: "Follow a stream as Server-Sent Events",
    details: sse,
    query: z.strictObject(ofOneStream),
    answers: frames,
  },
  {
    ...route,
    path: "/api/v1/streams/{name}/ws",
    summary: "Follow a stream over a WebSocket",
    details: `${resume}\n\n${messages}`,
    query: z.strictObject(ofOneStream),
    answers: { 101: upgraded },
  },
]

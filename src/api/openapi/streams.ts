import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import { announcement } from "../connections.ts"
import { page as consumerPage } from "../consumers.ts"
import { pageOfAll } from "../page-of.ts"
import { change, newStream, tokenRequest, type ShownStream } from "../streams.ts"
import type { DurableConsumer } from "../../store/durable-consumers.ts"
import { anyObject, count, numberOrNull, pageOf, textOrNull, time, type AsJson } from "./shapes.ts"

const group = "Streams"

const stream = z
  .object({
    name: z.string(),
    filter: z.unknown().describe("Which events belong to it."),
    routes: z.unknown().describe("Filters any of which lets an event in, besides `filter`; null for none."),
    retention: textOrNull.describe("How far back it can be read: `7d`; null for as long as the log is kept."),
    partitions: numberOrNull,
    builtIn: z.boolean(),
  })
  .meta({ id: "Stream", description: "A named, filtered view of the event log." }) satisfies z.ZodType<
  AsJson<ShownStream>
>

const streamWords = {
  name: "Name of the stream.",
  filter: "Which events belong to it.",
  routes: "Filters any of which lets an event in, besides `filter`; null for none.",
  retention: "How far back it can be read: `30m`, `24h`, `7d`; null for as long as the log is kept.",
  partitions: "Into how many it is dealt for consumer groups.",
}

const streamRoutes: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/streams",
    group,
    summary: "List streams, built-in ones first",
    scope: "events:read",
    query: pageOfAll,
    answers: { 200: { words: "A page of streams.", schema: pageOf("streams", stream) } },
  },
  {
    method: "post",
    path: "/api/v1/streams",
    group,
    summary: "Make a stream",
    scope: "admin",
    body: { schema: newStream },
    words: streamWords,
    answers: { 201: { words: "The stream.", schema: stream } },
    problems: [409],
  },
  {
    method: "get",
    path: "/api/v1/streams/{name}",
    group,
    summary: "One stream",
    scope: "events:read",
    words: streamWords,
    answers: { 200: { words: "The stream.", schema: stream } },
    problems: [404],
  },
  {
    method: "patch",
    path: "/api/v1/streams/{name}",
    group,
    summary: "Change a stream of your own",
    details: "What is left out stays as it is. Open streams go by the change from then on.",
    scope: "admin",
    body: { schema: change },
    words: streamWords,
    answers: { 200: { words: "The stream as it is now.", schema: stream } },
    problems: [404, 409],
  },
  {
    method: "delete",
    path: "/api/v1/streams/{name}",
    group,
    summary: "Remove a stream that nobody consumes",
    scope: "admin",
    words: streamWords,
    answers: { 204: { words: "It is gone." } },
    problems: [404, 409],
  },
  {
    method: "post",
    path: "/api/v1/streams/{name}/token",
    group,
    summary: "A token that opens a stream once",
    details:
      "For a page in a browser, where a key must never be: give it to the stream as `?token=`. It opens one stream, once.",
    scope: "streams:read",
    body: { schema: tokenRequest, optional: true },
    words: { name: "Name of the stream.", seconds: "For how long it may be used." },
    answers: { 201: { words: "The token.", schema: z.object({ token: z.string(), expiresAt: time }) } },
    problems: [404],
  },
]

const unanswered = z.array(z.string()).describe("Processes that did not answer in time.")

const connection = z
  .object({
    id: z.string(),
    tenant: z.string(),
    stream: z.string(),
    transport: z.string().describe("`sse`, `sse+gzip`, `websocket`, …"),
    client: textOrNull,
    keyId: z.string(),
    address: z.string(),
    openedAt: time,
    position: count.describe("Where it would resume."),
    catchingUp: z.boolean(),
    events: count,
    unsentBytes: count,
    node: z.string().describe("The process that serves it."),
  })
  .meta({ id: "Connection", description: "An open stream." })

const connectionRoutes: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/connections",
    group: "Connections",
    summary: "List the open streams of all processes",
    scope: "admin",
    query: pageOfAll,
    answers: {
      200: {
        words: "A page of open streams.",
        schema: pageOf("connections", connection).extend({ unanswered }),
      },
    },
  },
  {
    method: "get",
    path: "/api/v1/connections/stats",
    group: "Connections",
    summary: "How the streams of each process do",
    scope: "admin",
    answers: {
      200: {
        words: "Counts of each process.",
        schema: z.object({ nodes: z.array(z.looseObject({ node: z.string() })), unanswered }),
      },
    },
  },
  {
    method: "get",
    path: "/api/v1/connections/{id}",
    group: "Connections",
    summary: "One open stream",
    scope: "admin",
    words: { id: "Id of the open stream." },
    answers: { 200: { words: "The open stream.", schema: connection } },
    problems: [404],
  },
  {
    method: "delete",
    path: "/api/v1/connections/{id}",
    group: "Connections",
    summary: "Close an open stream",
    scope: "admin",
    words: { id: "Id of the open stream." },
    answers: { 204: { words: "It is closed; its client may come back." } },
    problems: [404],
  },
  {
    method: "post",
    path: "/api/v1/connections/broadcast",
    group: "Connections",
    summary: "Say something to the clients of open streams",
    details: "It reaches those that are connected now, and is in no log.",
    scope: "admin",
    body: { schema: announcement },
    words: { data: "Any JSON.", clients: "Names of the clients meant; all of them without it." },
    answers: { 200: { words: "How many it reached.", schema: z.object({ reached: count, unanswered }) } },
  },
]

const consumer = z
  .object({
    tenant: z.string(),
    name: z.string(),
    kind: z.enum(["handler", "callback", "webhook", "group"]),
    stream: z.string(),
    filter: anyObject,
    partitions: count,
    status: z.string(),
    position: count.describe("Where its partition furthest behind is."),
    holders: count.describe("Processes or members that are ready to run it."),
    createdAt: time,
    lastSeenAt: time,
    lag: count.describe("Positions that it is behind."),
  })
  .meta({ id: "Consumer", description: "Whatever keeps a place in the log." }) satisfies z.ZodType<
  AsJson<DurableConsumer>
>

const consumerRoutes: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/consumers",
    group: "Consumers",
    summary: "List handlers, named callbacks, webhooks and groups with their places in the log",
    scope: "admin",
    query: consumerPage,
    answers: { 200: { words: "A page of consumers.", schema: pageOf("consumers", consumer) } },
  },
  {
    method: "delete",
    path: "/api/v1/consumers/{name}",
    group: "Consumers",
    summary: "Remove a handler or a callback that no process runs any more",
    scope: "admin",
    words: { name: "Name of the consumer." },
    answers: { 204: { words: "It is gone, and its place with it." } },
    problems: [404, 409],
  },
]

/** `/api/v1/streams`, `/api/v1/connections` and `/api/v1/consumers`. */
export const streamAdminRouteDescriptions: RouteDescription[] = [
  ...streamRoutes,
  ...connectionRoutes,
  ...consumerRoutes,
]

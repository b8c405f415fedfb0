import { filterFromParameters, listKeys, type Filter } from "../core/filter.ts"
import { isStorableText } from "../core/filter-text.ts"
import { SignalboxError } from "../core/errors.ts"
import { unknownNames } from "../core/nearest-name.ts"

/** What a client asks of a stream. */
export interface StreamRequest {
  /** Position after which it wants events, or a name for one. */
  after: number | "earliest" | "latest"
  filter: Filter
  heartbeatMs: number
  /** What the client calls itself. */
  clientName: string | null
  /** Names of streams, and patterns of names; null where none are given. */
  topics: readonly string[] | null
  /** Events of a message at most; null for each in its own. */
  batch: number | null
}

/** Names of the query parameters that a stream takes. */
export const streamParameters = [
  "after",
  "filter",
  "heartbeat",
  ...listKeys,
  "topics",
  "batch",
  "client",
  "token", // has been looked at before
] as const
const parameters: readonly string[] = streamParameters
const mostTopics = 50
const largestBatch = 1_000

/**
 * Reads the query parameters and the `Last-Event-ID` of a stream request. That header wins over
 * `after`: an EventSource that reconnects sends it beside the URL it began with, and where it has none, some
 * send it empty. Throws 400 for whatever it does not understand; a misspelt filter must not let everything
 * pass, nor an `after` whose variable was empty all that came between.
 */
export function parseStreamRequest(query: Record<string, string[]>, lastEventId?: string): StreamRequest {
  const unknown = Object.keys(query).filter((name) => !parameters.includes(name))
  if (unknown.length > 0) throw bad(unknownNames("query parameter", unknown, parameters))
  return {
    after:
      cursor(lastEventId || undefined, "Last-Event-ID") ??
      cursor(single(query, "after"), "after") ??
      "latest",
    filter: filterFromParameters(single(query, "filter"), (key) => query[key]),
    heartbeatMs: heartbeat(single(query, "heartbeat")),
    clientName: clientName(single(query, "client")),
    topics: topicsIn(query["topics"]),
    batch: batchSize(single(query, "batch")),
  }
}

function cursor(text: string | undefined, name: string): StreamRequest["after"] | undefined {
  if (text === undefined) return undefined
  if (text === "earliest" || text === "latest") return text
  const position = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(position)) {
    throw bad(`${name} must be a position (a whole number), "earliest" or "latest"`)
  }
  return position
}

function heartbeat(text: string | undefined): number {
  if (text === undefined) return 15_000
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (seconds < 1 || seconds > 300) throw bad("heartbeat must be a whole number of seconds from 1 to 300")
  return seconds * 1000
}

function topicsIn(values: readonly string[] | undefined): readonly string[] | null {
  if (values === undefined) return null
  const topics = [...new Set(values.flatMap((value) => value.split(",")).map((topic) => topic.trim()))]
  if (topics.length > mostTopics) throw bad(`topics: ${mostTopics} at most`)
  return topics.toSorted()
}

function batchSize(text: string | undefined): number | null {
  if (text === undefined) return null
  const size = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (size < 1 || size > largestBatch) throw bad(`batch must be a whole number from 1 to ${largestBatch}`)
  return size
}

function clientName(text: string | undefined): string | null {
  if (text === undefined || text === "") return null
  if (text.length > 200 || !isStorableText(text)) throw bad("client must be a name of 200 characters at most")
  return text
}

function single(query: Record<string, string[]>, name: string): string | undefined {
  const values = query[name] ?? []
  if (values.length > 1) throw bad(`${name} is given more than once`)
  return values[0]
}

function bad(message: string): SignalboxError {
  return new SignalboxError("bad_request", message)
}

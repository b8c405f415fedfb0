import { SignalboxError } from "./errors.ts"
import { parseFilter, type Filter } from "./filter.ts"
import type { Selection } from "./selection.ts"

/** What makes a stream, as it is stored: for `streamSelection` to read. */
export interface StoredStream {
  filter: unknown
  /** A list of filters; null where `filter` alone tells. */
  routes: unknown
}

const name = /^[a-z][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*$/
const pattern = /^[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*$/
const maxName = 200
const maxRoutes = 100

/** What the name of a stream is, in words. */
export const streamNameForm =
  "must be a-z, 0-9, _ and - in one or more segments between dots, begin with a letter and have 200 characters at most: deploys_eu, deploys.eu.production"

/** Whether a stream may have this name. */
export function isStreamName(text: string): boolean {
  return text.length <= maxName && name.test(text)
}

/** Whether this may stand for names of streams: a name in which `*` and `**` stand for what they do in `compileTopic`. */
export function isTopicPattern(text: string): boolean {
  const stars = text.match(/\*+/g) ?? []
  return (
    text.length <= maxName && pattern.test(text) && stars.length <= 4 && stars.every((run) => run.length <= 2)
  )
}

/** What such a pattern is, in words. */
export const topicPatternForm =
  "must be a-z, 0-9, _ and - in segments between dots, with * for one segment or a part of one, ** for any number of segments, and up to four of these: deploys.*, deploys.**"

/** Reads the routes of a stream; throws 400 for what is no list of 1 to 100 filters. */
export function parseRoutes(stored: unknown): Filter[] | null {
  if (stored === null || stored === undefined) return null
  if (Array.isArray(stored) && stored.length > 0 && stored.length <= maxRoutes) return stored.map(parseFilter)
  throw new SignalboxError("bad_request", `routes: must be a list of 1 to ${maxRoutes} filters`)
}

/** The events of a stream: what its filter lets pass and, where it has routes, any of these too. Throws 400 where it makes no sense. */
export function streamSelection(stored: StoredStream): Selection {
  const filter = parseFilter(stored.filter)
  const routes = parseRoutes(stored.routes)
  return routes === null ? filter : { all: [filter, { any: routes }] }
}

import { createHash } from "node:crypto"
import { SignalboxError } from "../core/errors.ts"
import { compileTopic } from "../core/pattern.ts"
import type { Selection } from "../core/selection.ts"
import { isTopicPattern, streamSelection, topicPatternForm } from "../core/stream-definition.ts"
import { readAs, type Database } from "../store/database.ts"
import { listStreams, type StreamRow } from "../store/streams.ts"

/** The streams that a reader named, as they stand. */
export interface FoundStreams {
  tenant: string
  /** Names of streams, and patterns of names. */
  topics: readonly string[]
  /** Equal as long as none of them is changed, made or removed. */
  version: string
  selection: Selection
  /** How far back they are all read, in seconds; null for as far as the log goes. */
  retentionSeconds: number | null
}

/** What a reader holds of the streams that it was given. */
export type HeldStreams = Pick<FoundStreams, "tenant" | "topics" | "version">

/** Looks up streams, and tells when they are no more what they were. */
export interface StreamDefinitions {
  /**
   * The streams of these names and patterns that the tenant sees; throws 404 for a name that is none's, 400
   * for what is neither. A pattern may stand for none yet. What is found is believed for two seconds.
   */
  find(tenant: string, topics: readonly string[]): Promise<FoundStreams>
  /** Reads anew, and tells of each that is changed or, by name, gone. */
  changesOf<Held extends HeldStreams>(held: readonly Held[]): Promise<Map<Held, StreamChange>>
  /** Takes a hint that the streams of a tenant have changed. */
  hear(tenant: string): void
  /** Calls back at each hint, until the answer is called. */
  onHint(listener: (tenant: string) => void): () => void
}

/** What became of the streams of a reader. */
export type StreamChange = { kind: "changed" } | { kind: "removed"; name: string }

type Judgement = StreamChange | { kind: "same" }

const believedMs = 2_000
const cacheSize = 1_000
/** So many streams at most may be read as one: each is looked at for every event. */
const mostStreams = 500

/** Makes the lookup. */
export function createStreamDefinitions(database: Database): StreamDefinitions {
  const known = new Map<string, { streams: readonly StreamRow[]; until: number }>()
  const readings = new Map<string, Promise<readonly StreamRow[]>>()
  const listeners = new Set<(tenant: string) => void>()
  const selections = new WeakMap<StreamRow, Selection>()
  let hints = 0

  function selectionOf(stream: StreamRow): Selection {
    const selection = selections.get(stream) ?? streamSelection(stream)
    selections.set(stream, selection)
    return selection
  }

  /** Shares a read that is under way, unless a hint has come since: many open at once where a node was away. */
  async function visibleTo(tenant: string): Promise<readonly StreamRow[]> {
    const cached = known.get(tenant)
    if (cached !== undefined && cached.until > performance.now()) return cached.streams
    const reading = readings.get(tenant) ?? read(tenant)
    readings.set(tenant, reading)
    try {
      return await reading
    } finally {
      if (readings.get(tenant) === reading) readings.delete(tenant)
    }
  }

  async function read(tenant: string): Promise<readonly StreamRow[]> {
    known.delete(tenant)
    const heard = hints
    const streams = await readAs(database, tenant, (db) => listStreams(db, [tenant]))
    if (known.size >= cacheSize) known.clear()
    // What a hint has come in between for may be as of before it.
    if (heard === hints) known.set(tenant, { streams, until: performance.now() + believedMs })
    return streams
  }

  return {
    find: async (tenant, topics) => {
      for (const topic of topics) if (!isTopicPattern(topic)) throw noTopic(topic)
      let { streams, missing } = select(await visibleTo(tenant), topics)
      if (missing !== undefined) {
        // Perhaps it was made a moment ago, and the hint is on its way.
        readings.delete(tenant)
        known.delete(tenant)
        ;({ streams, missing } = select(await visibleTo(tenant), topics))
      }
      if (missing !== undefined) throw noStream(missing)
      if (streams.length > mostStreams) {
        throw new SignalboxError(
          "bad_request",
          `the topics are ${streams.length} streams; ${mostStreams} at most are read as one`,
        )
      }
      return {
        tenant,
        topics,
        version: versionOf(streams),
        selection: { any: streams.map(selectionOf) },
        retentionSeconds: shortest(streams),
      }
    },
    changesOf: async (held) => {
      const tenants = [...new Set(held.map(({ tenant }) => tenant))]
      const rows = Map.groupBy(await listStreams(database.work, tenants), ({ tenant }) => tenant)
      const judged = new Map<string, Judgement>()
      const changes = new Map<(typeof held)[number], StreamChange>()
      for (const one of held) {
        const key = JSON.stringify([one.tenant, one.topics, one.version])
        const change = judged.get(key) ?? judge(rows.get(one.tenant) ?? [], one)
        judged.set(key, change)
        if (change.kind !== "same") changes.set(one, change)
      }
      return changes
    },
    hear: (tenant) => {
      hints++
      known.delete(tenant)
      readings.delete(tenant)
      for (const listener of listeners) listener(tenant)
    },
    onHint: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function noTopic(topic: string): SignalboxError {
  if (topic === "")
    return new SignalboxError("bad_request", "topics: must be names or patterns, none of them empty")
  if (!topic.includes("*")) return noStream(topic)
  return new SignalboxError(
    "bad_request",
    `topics: ${JSON.stringify(topic)} is no pattern, which ${topicPatternForm}`,
  )
}

/** What is said of a name that is no stream's. */
export function noStream(name: string): SignalboxError {
  return new SignalboxError("not_found", `there is no stream ${JSON.stringify(name)}`)
}

function judge(visible: readonly StreamRow[], { topics, version }: HeldStreams): Judgement {
  const { streams, missing } = select(visible, topics)
  if (missing !== undefined) return { kind: "removed", name: missing }
  return { kind: versionOf(streams) === version ? "same" : "changed" }
}

/** The streams that topics stand for, each once; `missing` is a name of none. */
function select(visible: readonly StreamRow[], topics: readonly string[]) {
  const names = topics.filter((topic) => !topic.includes("*"))
  const present = new Set(visible.map(({ name }) => name))
  const wanted = new Set(names)
  const patterns = topics.filter((topic) => topic.includes("*")).map(compileTopic)
  return {
    streams: visible.filter(({ name }) => wanted.has(name) || patterns.some((matches) => matches(name))),
    missing: names.find((name) => !present.has(name)),
  }
}

function versionOf(streams: readonly StreamRow[]): string {
  const told = streams.map(({ name, filter, routes, retentionSeconds }) => [
    name,
    filter,
    routes,
    retentionSeconds,
  ])
  return createHash("sha256").update(JSON.stringify(told)).digest("base64url")
}

function shortest(streams: readonly StreamRow[]): number | null {
  const told = streams.flatMap(({ retentionSeconds }) =>
    retentionSeconds === null ? [] : [retentionSeconds],
  )
  return told.length === 0 ? null : Math.min(...told)
}

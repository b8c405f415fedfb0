import type { Pool } from "pg"
import type { ConsumerDefinition, RunContext } from "../consumers/definition.ts"
import type { Clock } from "../core/clock.ts"
import { entityKind } from "../core/entity-key.ts"
import type { LoggedEvent } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Platform } from "../core/platform.ts"
import { defaultTenant, type RunningSources } from "../core/source.ts"
import { discussionsShownBy, sourceOfThing } from "../store/timeline-notes.ts"
import { leaveNote, type NoteOutcome, type Speaker } from "./leave-note.ts"

/** Where notes may be left: in threads, and on pull requests and issues. */
export const noteTargets = ["slack", "github"] as const
export type NoteTarget = (typeof noteTargets)[number]

export interface TimelineNotesOptions {
  pool: Pool
  platforms: readonly Platform[]
  sources: Pick<RunningSources, "find" | "credentialOf" | "apiUrlOf">
  /** Address of the hub as people reach it. */
  publicUrl: string
  on: ReadonlySet<NoteTarget>
  clock: Clock
  /** Milliseconds for which an attempt holds a place (90,000); a call takes 30,000 at most. */
  holdMs?: number
}

interface Place {
  key: string
  platform: string
  source: string
}

const targetOfKind: Readonly<Record<string, NoteTarget>> = {
  "slack:thread": "slack",
  "github:pull_request": "github",
  "github:issue": "github",
}
const spokenOf = new Set(["github:pull_request", "github:issue", "linear:issue", "linear:issue_id"])
const texts: Readonly<Record<string, string>> = {
  "slack:thread": "Timeline of this thread",
  "github:pull_request": "Timeline of this pull request",
  "github:issue": "Timeline of this issue",
}
const oldestMs = 86_400_000

/**
 * The consumer that posts the link to a timeline, once in a thread and once on a pull request or issue,
 * when a strong link ties the two. It hears what is said in Slack and nothing else, and its own notes name
 * nothing, so it never hears itself. What is older than a day, as a sweep may find it, it leaves alone.
 */
export function timelineNotes(options: TimelineNotesOptions): ConsumerDefinition {
  const { pool, on, clock, holdMs = 90_000 } = options
  return {
    name: "signalbox/timeline-notes",
    kind: "handler",
    tenant: defaultTenant, // the tokens of the environment are the operator's own
    stream: "slack_events",
    partitions: 4,
    retry: { attempts: 12, initialMs: 5_000, maxMs: 3_600_000 },
    timeoutMs: 120_000,
    matches: ({ entity, occurredAt, receivedAt, references }) =>
      entityKind(entity ?? "") === "slack:message" &&
      clock().getTime() - (occurredAt ?? receivedAt).getTime() < oldestMs &&
      references.some((reference) => spokenOf.has(entityKind(reference.entity))),
    async run(event, context) {
      const outcomes: Record<string, NoteOutcome> = {}
      const failures: unknown[] = []
      for (const place of await placesOf(pool, on, event)) {
        try {
          const note = { text: texts[entityKind(place.key)] ?? "Timeline", url: timelineUrl(options, place) }
          const wish = { tenant: event.tenant, place: place.key, eventId: event.id }
          const speaker = await speakerAt(options, place, context)
          outcomes[place.key] = await leaveNote(pool, speaker, wish, note, holdMs)
        } catch (error) {
          context.signal.throwIfAborted()
          failures.push(error) // one place that is closed keeps nothing from the others
        }
      }
      if (failures.length > 0) throw failures.find(isPassing) ?? failures[0]
      return outcomes
    },
  }
}

/** The places that the event's links lead to; a pull request of which the hub knows nothing is somebody else's. */
async function placesOf(pool: Pool, on: ReadonlySet<NoteTarget>, event: LoggedEvent): Promise<Place[]> {
  const places = new Map<string, Place>()
  for (const { thread, thing } of await discussionsShownBy(pool, event.id)) {
    if (!spokenOf.has(entityKind(thing))) continue
    if (on.has("slack")) places.set(thread, { key: thread, platform: event.platform, source: event.source })
    const target = targetOfKind[entityKind(thing)]
    if (target === undefined || !on.has(target)) continue
    const source = await sourceOfThing(pool, event.tenant, thing, target)
    if (source !== null) places.set(thing, { key: thing, platform: target, source })
  }
  return [...places.values()]
}

async function speakerAt(
  { platforms, sources, clock }: TimelineNotesOptions,
  place: Place,
  { signal, log }: Pick<RunContext, "signal" | "log">,
): Promise<Speaker> {
  const platform = platforms.find(({ name }) => name === place.platform)
  const notes = (await platform?.calls?.load())?.notes
  const source = sources.find(place.platform, place.source)
  const credential = source === undefined ? null : sources.credentialOf(source)
  if (notes === undefined || source === undefined || credential === null) {
    throw new SignalboxError(
      "unauthenticated",
      `nothing can be posted at ${place.key}: the source ${place.platform}/${place.source} has no token, and ${platform?.calls?.credentialVariable ?? "the environment"} has none either`,
    )
  }
  const { settings } = source
  return { notes, access: { apiUrl: sources.apiUrlOf(source), credential, settings, clock, signal, log } }
}

function timelineUrl({ publicUrl }: TimelineNotesOptions, { key }: Place): string {
  return `${publicUrl.replace(/\/+$/, "")}/api/v1/entities/${encodeURIComponent(key)}/timeline`
}

function isPassing(error: unknown): boolean {
  return !(error instanceof SignalboxError) || error.retryable
}

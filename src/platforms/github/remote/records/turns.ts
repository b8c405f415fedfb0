import type { Known, LoggedRecord } from "../../../../core/remote.ts"
import { entityKey } from "../../../../core/entity-key.ts"
import { isFields } from "../../../../core/fields.ts"
import { at, count, id, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { asOf, recordOf, type RecordSource } from "./record.ts"
import { issue, pullRequest } from "./things.ts"

// A webhook tells when its subject was last changed, a moment after what it reports.
const beforeMs = 5_000
const afterMs = 60_000

/**
 * Issues and pull requests that were reopened, or closed for a time: what their present state no
 * longer tells. Whether the webhook came is known by entity, name and time.
 */
export function turns(source: RecordSource): Strand {
  const { client, path, name, since, now } = source
  return newestFirst({
    key: `turns ${path}`,
    client,
    path: `${path}/issues/events?per_page=100`,
    label: `reopened issues of ${name}`,
    sortedBy: "created_at",
    since,
    moves: false,
    now,
    records: (entries) => entries.flatMap((entry, index) => turn(source, entry, entries.slice(0, index))),
  })
}

function turn(source: RecordSource, entry: unknown, later: readonly unknown[]): LoggedRecord[] {
  const kind = text(entry, "event")
  const subject = at(entry, "issue")
  const number = count(subject, "number")
  const when = text(entry, "created_at")
  const happened = time(entry, "created_at")
  if (number === null || when === null || happened === null || !isFields(subject)) return []
  if (kind !== "reopened" && kind !== "closed") return []
  // What is closed to this day is told of by the list it is in.
  if (kind === "closed" && isLastClosing(subject, happened)) return []

  const then = kind === "closed" ? { state: "closed", closed_at: when } : { state: "open", closed_at: null }
  const isPull = isFields(subject["pull_request"])
  const event = isPull ? "pull_request" : "issues"
  const entity = isPull
    ? entityKey.githubPullRequest(source.name.toLowerCase(), number)
    : entityKey.githubIssue(source.name.toLowerCase(), number)
  const known: Known = {
    entity,
    name: `${event}:${kind}`,
    since: new Date(happened.getTime() - beforeMs),
    until: new Date(Math.min(happened.getTime() + afterMs, nextTime(entry, later) - 1)),
  }
  return recordOf(source, {
    event,
    action: kind,
    id: id(entry, "id") ?? "",
    at: happened,
    sender: at(entry, "actor"),
    subject: {},
    known,
    complete: async () => {
      const whole = await (isPull ? pullRequest(source, number) : issue(source, number))
      if (whole === null) return null
      return isPull
        ? { number, pull_request: asOf(whole, when, { ...then, merged: false, merged_at: null }) }
        : { issue: asOf(whole, when, then) }
    },
  })
}

function isLastClosing(subject: unknown, happened: Date): boolean {
  const last = time(subject, "closed_at")
  return last !== null && Math.abs(last.getTime() - happened.getTime()) <= beforeMs
}

/** When the same came about again; Infinity where it did not. */
function nextTime(entry: unknown, later: readonly unknown[]): number {
  const next = later.findLast(
    (other) =>
      text(other, "event") === text(entry, "event") &&
      count(other, "issue.number") === count(entry, "issue.number"),
  )
  return time(next, "created_at")?.getTime() ?? Infinity
}

import { wordsOf } from "../../../core/explanation.ts"
import { shortTime } from "../../../live/status.ts"
import type { DryRun } from "../../../processing/dry-run.ts"
import { countChanges, type ChangeCounts, type LinkChange } from "../../../processing/link-changes.ts"
import { joinsOf, type Joins } from "../../../processing/joins.ts"
import type { CommandContext } from "../../command.ts"

/** What a dry run has found; of a window without events, of which tenant, and from when to when there are some. */
interface Found extends DryRun {
  nothingIn?: { tenant: string; history: { from: Date; to: Date } | null }
}

/** Prints what a dry run has found: `limit` links at most, and how many there are of which kind. */
export function report({ json, out }: CommandContext, result: Found, limit: number): void {
  const { changes, untold, events, of, unread, faults, idle, position, complete, nothingIn } = result
  const counts = countChanges(changes)
  const joins = joinsOf(changes)
  const shown = changes.slice(0, limit)
  if (json) {
    for (const change of shown) out(JSON.stringify(change))
    const unshown = changes.length - shown.length
    out(
      JSON.stringify({
        kind: "summary",
        counts,
        joins,
        unshown,
        untold,
        events,
        of,
        unread,
        faults,
        idle,
        position,
        complete,
        ...(nothingIn === undefined ? {} : { history: nothingIn.history }),
      }),
    )
    return
  }
  for (const change of shown) out(lineOf(change))
  if (shown.length < changes.length)
    out(`… and ${changes.length - shown.length} more; --limit shows more of them`)
  out(totals(changes, counts))
  for (const line of timelines(joins)) out(line)
  if (untold > 0) out(`${untold} more differences in events are not told apart: take a shorter --since`)
  for (const { rule, events: failed, eventId, message } of faults) {
    out(`rule ${rule} failed on ${countOf(failed)}, first on ${eventId}: ${message}`)
  }
  for (const { rule, on } of idle) out(`rule ${rule}: "${on}" fits no event that was read`)
  if (unread > 0) out(`${countOf(unread)} cannot be read now and ${unread === 1 ? "was" : "were"} left out`)
  out(
    complete
      ? `${countOf(events)} read; nothing was written`
      : `interrupted after ${events} of ${countOf(of)}; nothing was written; go on with --after ${position}`,
  )
  if (nothingIn !== undefined) out(emptinessOf(nothingIn))
}

/** No change in a window without events tells nothing of the rule. */
function emptinessOf({ tenant, history }: NonNullable<Found["nothingIn"]>): string {
  if (history === null) return `there is no event of tenant ${tenant} at all`
  const [from, to] = [history.from, history.to].map(shortTime)
  return `there is nothing in that window: the history here is of events received from ${from} to ${to}`
}

function countOf(count: number): string {
  return count === 1 ? "1 event" : `${count} events`
}

const groupsShown = 10
const entitiesShown = 5

/** What the changes do to timelines: weak links do nothing. */
function* timelines({ added, removed, groups }: Joins): Generator<string> {
  if (added === 0 && removed === 0) {
    yield "timelines: none changes, since no strong link does"
    return
  }
  yield `timelines: ${added} strong links more, ${removed} fewer`
  for (const { entities, size } of groups.slice(0, groupsShown)) {
    const named = entities.slice(0, entitiesShown)
    const rest = size > named.length ? ` and ${size - named.length} more` : ""
    yield `  joined, each with all that is tied to it: ${named.join(", ")}${rest}`
  }
  if (groups.length > groupsShown) yield `  and more of the kind`
}

const marks = { added: "+", removed: "-", changed: "~" } as const

function lineOf({ kind, before, after, events, eventId }: LinkChange): string {
  const link = after ?? before
  if (link === undefined) return ""
  const { from, relation, to, rule, ruleVersion, evidence } = link
  const sides = [before, after].filter((side) => side !== undefined)
  const weight = sides.map(({ strength, confidence }) => `${strength} ${confidence}`).join(" → ")
  const words = wordsOf(evidence) ?? "no words, since the rule gives no evidence"
  return `${marks[kind]} ${from} ${relation} ${to}  (${weight}, ${rule} ${ruleVersion}; ${words}; ${countOf(events)}, first ${eventId})`
}

function totals(changes: readonly LinkChange[], counts: ChangeCounts): string {
  const parts = (["added", "removed", "changed"] as const).map((kind) => {
    const all = changes.filter((change) => change.kind === kind).length
    const details = Object.entries(counts)
      .filter(([key]) => key.startsWith(`${kind} `))
      .map(([key, count]) => `${count} ${key.slice(kind.length + 1)}`)
    return details.length === 0 ? `${all} ${kind}` : `${all} ${kind} (${details.join(", ")})`
  })
  return `links: ${parts.join(", ")}`
}

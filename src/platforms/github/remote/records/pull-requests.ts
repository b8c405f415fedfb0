import { isFields } from "../../../../core/fields.ts"
import type { LoggedRecord } from "../../../../core/remote.ts"
import { at, count, id, list, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { asOf, recordOf, type RecordSource } from "./record.ts"
import { issue, pullRequest } from "./things.ts"

/** Pull requests opened, closed and merged, and their reviews. */
export function pullRequests(source: RecordSource): Strand {
  const { client, path, name, since, now } = source
  return newestFirst({
    key: `pull requests ${path}`,
    client,
    path: `${path}/pulls?state=all&sort=updated&direction=desc&per_page=100`,
    label: `pull requests of ${name}`,
    sortedBy: "updated_at",
    since,
    moves: true,
    now,
    async records(entries) {
      const found: LoggedRecord[] = []
      for (const entry of entries) {
        found.push(...opened(source, entry), ...closed(source, entry))
        if (source.events.has("pull_request_review")) found.push(...(await reviews(source, entry)))
      }
      return found
    },
  })
}

function opened(source: RecordSource, entry: unknown): LoggedRecord[] {
  const number = count(entry, "number")
  const when = text(entry, "created_at")
  if (number === null || when === null) return []
  const then = { state: "open", closed_at: null, merged_at: null }
  return recordOf(source, {
    event: "pull_request",
    action: "opened",
    id: id(entry, "id") ?? "",
    at: time(entry, "created_at"),
    sender: at(entry, "user"),
    subject: { number, pull_request: asOf(entry, when, then) },
    complete: async () => {
      const whole = await pullRequest(source, number)
      if (whole === null) return null
      return { pull_request: asOf(whole, when, { ...then, merged: false, merged_by: null }) }
    },
  })
}

// Who closed it is told by the pull request where it was merged, else by the issue of its number.
function closed(source: RecordSource, entry: unknown): LoggedRecord[] {
  const number = count(entry, "number")
  const when = text(entry, "closed_at")
  if (number === null || when === null) return []
  return recordOf(source, {
    event: "pull_request",
    action: "closed",
    id: `${id(entry, "id") ?? ""}-${when}`,
    at: time(entry, "closed_at"),
    sender: null,
    subject: { number, pull_request: asOf(entry, when) },
    complete: async () => {
      const whole = await pullRequest(source, number)
      if (whole === null) return null
      const mergedBy = at(whole, "merged_by")
      const sender = isFields(mergedBy) ? mergedBy : at(await issue(source, number), "closed_by")
      const pull_request = asOf(whole, when, { state: "closed", closed_at: when })
      return isFields(sender) ? { pull_request, sender } : { pull_request }
    },
  })
}

async function reviews(source: RecordSource, pullRequestEntry: unknown): Promise<LoggedRecord[]> {
  const number = count(pullRequestEntry, "number")
  if (number === null) return []
  const found: LoggedRecord[] = []
  let page: string | null = `${source.path}/pulls/${number}/reviews?per_page=100`
  while (page !== null) {
    const answer = await source.client.get(page, `the reviews of ${source.name}#${number}`)
    for (const review of list(answer, "data")) found.push(...submitted(source, review, pullRequestEntry))
    page = answer.next
  }
  return found
}

function submitted(source: RecordSource, review: unknown, pullRequestEntry: unknown): LoggedRecord[] {
  const state = text(review, "state")?.toLowerCase() ?? null
  if (state === "pending" || !isFields(review)) return [] // not submitted yet
  return recordOf(source, {
    event: "pull_request_review",
    action: "submitted",
    id: id(review, "id") ?? "",
    at: time(review, "submitted_at"),
    sender: at(review, "user"),
    subject: { review: { ...review, state }, pull_request: pullRequestEntry },
  })
}

import { isFields } from "../../../../core/fields.ts"
import type { LoggedRecord } from "../../../../core/remote.ts"
import { at, count, id, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { asOf, recordOf, type RecordSource } from "./record.ts"
import { issue } from "./things.ts"

/** Issues opened and closed. */
export function issues(source: RecordSource): Strand {
  const { client, path, name, since, now } = source
  return newestFirst({
    key: `issues ${path}`,
    client,
    path: `${path}/issues?state=all&sort=updated&direction=desc&per_page=100`,
    label: `issues of ${name}`,
    sortedBy: "updated_at",
    since,
    moves: true,
    now,
    // Pull requests come along, as issues; they have a list of their own.
    records: (entries) =>
      entries.flatMap((entry) =>
        isFields(at(entry, "pull_request")) ? [] : [...opened(source, entry), ...closed(source, entry)],
      ),
  })
}

function opened(source: RecordSource, entry: unknown): LoggedRecord[] {
  const when = text(entry, "created_at")
  if (when === null) return []
  return recordOf(source, {
    event: "issues",
    action: "opened",
    id: id(entry, "id") ?? "",
    at: time(entry, "created_at"),
    sender: at(entry, "user"),
    subject: { issue: asOf(entry, when, { state: "open", state_reason: null, closed_at: null }) },
  })
}

function closed(source: RecordSource, entry: unknown): LoggedRecord[] {
  const number = count(entry, "number")
  const when = text(entry, "closed_at")
  if (number === null || when === null) return []
  return recordOf(source, {
    event: "issues",
    action: "closed",
    id: `${id(entry, "id") ?? ""}-${when}`,
    at: time(entry, "closed_at"),
    sender: null,
    subject: { issue: asOf(entry, when) },
    complete: async () => {
      const whole = await issue(source, number)
      if (whole === null) return null
      const sender = at(whole, "closed_by") // only the issue by itself has it
      const then = asOf(whole, when, { state: "closed", closed_at: when })
      return isFields(sender) ? { issue: then, sender } : { issue: then }
    },
  })
}

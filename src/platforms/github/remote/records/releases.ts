import type { LoggedRecord } from "../../../../core/remote.ts"
import { at, id, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { asOf, recordOf, type RecordSource } from "./record.ts"

/** Releases that were published. */
export function releases(source: RecordSource): Strand {
  const { client, path, name, now } = source
  return newestFirst({
    key: `releases ${path}`,
    client,
    path: `${path}/releases?per_page=100`,
    label: `releases of ${name}`,
    // Sorted by the dates of their commits, which may be of any age: all of a page count, and there
    // is no going on to older ones.
    sortedBy: "published_at",
    since: source.since,
    moves: false,
    now,
    records: (entries) => entries.flatMap((entry) => published(source, entry)),
  })
}

function published(source: RecordSource, release: unknown): LoggedRecord[] {
  const when = text(release, "published_at")
  if (when === null || at(release, "draft") === true) return []
  return recordOf(source, {
    event: "release",
    action: "published",
    id: id(release, "id") ?? "",
    at: time(release, "published_at"),
    sender: at(release, "author"),
    subject: { release: asOf(release, when) },
  })
}

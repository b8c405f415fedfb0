import type { LoggedRecord } from "../../../../core/remote.ts"
import { at, id, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { asOf, recordOf, type RecordSource } from "./record.ts"
import { issue, pullRequest } from "./things.ts"

/** Comments on issues and pull requests. */
export function issueComments(source: RecordSource): Strand {
  return comments(source, {
    event: "issue_comment",
    path: "/issues/comments",
    label: "comments",
    parentUrl: "issue_url",
    parent: async (number) => {
      const found = await issue(source, number)
      return found === null ? null : { issue: found }
    },
  })
}

/** Comments on the lines of pull requests. */
export function reviewComments(source: RecordSource): Strand {
  return comments(source, {
    event: "pull_request_review_comment",
    path: "/pulls/comments",
    label: "review comments",
    parentUrl: "pull_request_url",
    parent: async (number) => {
      const found = await pullRequest(source, number)
      return found === null ? null : { pull_request: found }
    },
  })
}

interface CommentKind {
  event: string
  path: string
  label: string
  /** The field with the address of what is commented on, which ends in its number. */
  parentUrl: string
  parent(number: number): Promise<Readonly<Record<string, unknown>> | null>
}

function comments(source: RecordSource, kind: CommentKind): Strand {
  const { client, path, name, since, now } = source
  return newestFirst({
    key: `${kind.label} ${path}`,
    client,
    path: `${path}${kind.path}?sort=updated&direction=desc&per_page=100`,
    label: `${kind.label} of ${name}`,
    sortedBy: "updated_at",
    since,
    moves: true,
    now,
    records: (entries) => entries.flatMap((entry) => created(source, kind, entry)),
  })
}

function created(source: RecordSource, kind: CommentKind, comment: unknown): LoggedRecord[] {
  const number = Number(/\/([1-9]\d{0,14})$/.exec(text(comment, kind.parentUrl) ?? "")?.[1])
  const when = text(comment, "created_at")
  if (Number.isNaN(number) || when === null) return []
  return recordOf(source, {
    event: kind.event,
    action: "created",
    id: id(comment, "id") ?? "",
    at: time(comment, "created_at"),
    sender: at(comment, "user"),
    subject: { comment: asOf(comment, when) },
    complete: () => kind.parent(number),
  })
}

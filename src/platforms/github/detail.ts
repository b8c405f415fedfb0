import { textOrNull } from "../../core/text.ts"
import type { Message } from "../../core/platform.ts"
import { actionOf } from "./naming.ts"
import { repositoryOf } from "./keys.ts"
import { at, count, firstText, id, text, time } from "./read.ts"
import { distinctCommits } from "./references.ts"
import type { EventShape } from "./shape.ts"

/** The table of the detail rows. */
export const detailTable = {
  table: "github_events",
  columns: [
    "event_name",
    "action",
    "hook_id",
    "installation_id",
    "organization",
    "repository_id",
    "repository",
    "sender_id",
    "sender",
    "number",
    "ref",
    "sha",
    "state",
    "merged",
    "author_id",
    "base_ref",
    "opened_at",
    "closed_at",
    "merged_at",
    "merge_sha",
    "first_commit_at",
  ],
} as const

type Detail = Record<(typeof detailTable.columns)[number], string | number | boolean | null>

/** The detail row of an event; a column is null where the event has no such thing. */
export function detailOf(event: string, shape: EventShape, { payload, headers }: Message): Detail {
  return {
    event_name: event,
    action: actionOf(payload),
    hook_id: textOrNull(headers["x-github-hook-id"], 64),
    installation_id: id(payload, "installation.id"),
    organization: text(payload, "organization.login", 256),
    repository_id: id(payload, "repository.id"),
    repository: repositoryOf(payload),
    sender_id: id(payload, "sender.id"),
    sender: text(payload, "sender.login", 256),
    number: numberOf(shape, payload),
    ref: firstText(payload, shape.ref ?? []),
    sha: firstText(payload, shape.sha ?? [], 64),
    state: firstText(payload, shape.state ?? aboutState(shape), 64),
    merged: mergedOf(payload),
    ...pullRequestOf(payload),
    first_commit_at: firstCommitAt(event, payload),
  }
}

/** What a pull request says of itself in whatever event it is carried by. */
function pullRequestOf(payload: unknown) {
  const stamp = (path: string): string | null => time(payload, `pull_request.${path}`)?.toISOString() ?? null
  const mergedAt = stamp("merged_at")
  return {
    author_id: id(payload, "pull_request.user.id"),
    base_ref: text(payload, "pull_request.base.ref"),
    opened_at: stamp("created_at"),
    closed_at: stamp("closed_at"),
    merged_at: mergedAt,
    // Before the merge it is GitHub's trial merge, which never lands.
    merge_sha: mergedAt === null ? null : text(payload, "pull_request.merge_commit_sha", 64),
  }
}

/** The earliest time that a commit bears which a push was the first to bring. */
function firstCommitAt(event: string, payload: unknown): string | null {
  if (event !== "push") return null
  const times = distinctCommits(payload).flatMap(({ commit }) => time(commit, "timestamp")?.getTime() ?? [])
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString()
}

function aboutState({ about }: EventShape): string[] {
  return about === undefined ? [] : [`${about}.state`]
}

function numberOf({ about, number }: EventShape, payload: unknown): number | null {
  const paths = number ?? (about === undefined ? [] : [`${about}.number`])
  for (const path of paths) {
    const found = count(payload, path)
    if (found !== null) return found
  }
  return null
}

// Only whole pull requests say `merged`; the short form in reviews has the time of it.
function mergedOf(payload: unknown): boolean | null {
  const merged = at(payload, "pull_request.merged")
  if (typeof merged === "boolean") return merged
  const mergedAt = at(payload, "pull_request.merged_at")
  return mergedAt === undefined ? null : mergedAt !== null
}

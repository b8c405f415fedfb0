import { textOrNull } from "../../core/text.ts"
import type { Message } from "../../core/platform.ts"
import { actionOf } from "./naming.ts"
import { repositoryOf } from "./keys.ts"
import { at, count, firstText, id, text } from "./read.ts"
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
  }
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

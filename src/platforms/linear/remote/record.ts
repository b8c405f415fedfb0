import { type Fields, isFields } from "../../../core/fields.ts"
import type { LoggedRecord } from "../../../core/remote.ts"
import { timeOrNull } from "../../../core/time.ts"
import { modelState } from "../state.ts"
import type { Pass } from "./models.ts"

/**
 * What a listed thing tells of, as a webhook would have: its creation, its state by now, or its removal;
 * null where its webhook would not have come, or is told of by another listing. The API knows the state
 * of today alone, so the creation of a thing that was changed since comes with the content of today.
 */
export function recordOf(pass: Pass, node: Fields, organizationId: string): LoggedRecord | null {
  const { model, action, time } = pass
  const at = timeOrNull(node[time])
  const state = modelState(model.type, node["id"], node[time], action === "remove" ? "removed" : undefined)
  if (at === null || state === null) return null
  const isInTrash = node["trashed"] === true
  if (isInTrash !== (action === "remove")) return null
  if (action === "update" && at.getTime() === timeOrNull(node["createdAt"])?.getTime()) return null
  const key = `backfill-${state}`
  // Who changed or removed it, the API does not say.
  const author = action === "create" ? model.author(node) : null
  const body = {
    action,
    ...(isFields(author) ? { actor: { type: "user", ...author } } : {}),
    createdAt: at.toISOString(),
    data: model.data(node),
    ...(model.type === "Attachment" ? {} : { url: node["url"] }),
    type: model.type,
    organizationId,
    webhookTimestamp: at.getTime(),
  }
  return {
    kind: "record",
    key,
    at,
    known: { state },
    recovered: {
      headers: { "linear-delivery": key, "linear-event": model.type },
      contentType: "application/json",
      body: Buffer.from(JSON.stringify(body)),
    },
  }
}

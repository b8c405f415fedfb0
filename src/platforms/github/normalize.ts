import { inFieldsOf } from "../../core/entity-state.ts"
import type { Actor, EntityState, Reference } from "../../core/envelope.ts"
import type { Message, Normalized } from "../../core/platform.ts"
import { shapeOf } from "./catalogue/index.ts"
import { mergeOf, pushOf } from "./commits.ts"
import { deploymentOf } from "./deployment-row.ts"
import { detailOf } from "./detail.ts"
import { repository } from "./keys.ts"
import { actionOf, isEventName, typeOf } from "./naming.ts"
import { at, firstText, id, text, time, webAddress } from "./read.ts"
import { reference } from "./references.ts"
import type { EventShape } from "./shape.ts"

/** Everything that is derived from a delivery. Never throws: what cannot be read is left out. */
export function normalize(message: Message): Normalized {
  const { payload, headers, receivedAt } = message
  const claimed = headers["x-github-event"] ?? ""
  const event = isEventName(claimed) ? claimed : "unknown"
  const shape = shapeOf(event)
  const scope = repository(payload)
  const entity = shape.entity(payload) ?? repository(payload)
  const states = shape.stood?.(payload) ?? []
  const state = inOne(states)
  const texts = inFieldsOf(state, shape.texts?.(payload) ?? [], ({ field }) => field)
  const references = inFieldsOf(state, shape.references?.(payload) ?? [], ({ evidence }) => evidence.field)
  return {
    type: typeOf(event, payload),
    actor: actorOf(payload),
    entity,
    title: titleOf(shape, payload),
    url: urlOf(shape, payload),
    occurredAt: timeOf(shape, payload) ?? receivedAt,
    detail: detailOf(event, shape, message),
    deployment: deploymentOf(event, payload),
    push: pushOf(event, payload),
    merge: mergeOf(payload),
    references: [...sameById(shape, entity, payload), ...references],
    texts: scope === null ? texts : texts.map((field) => ({ ...field, scope })),
    states,
  }
}

/** The states of one thing as one, to see which fields an event tells of. */
function inOne(states: readonly EntityState[]): EntityState | undefined {
  const [first] = states
  return first && { ...first, fields: Object.assign({}, ...states.map(({ fields }) => fields)) }
}

/** What an event is about, by ids: whatever it was called, and will be, meets in that key. */
function sameById({ byId }: EventShape, entity: string | null, payload: unknown): Reference[] {
  const key = byId?.(payload) ?? null
  return entity === null ? [] : reference(key, "same_as", "id", key?.replace(/^[^:]*:[^:]*:/, ""))
}

function actorOf(payload: unknown): Actor | null {
  const login = text(payload, "sender.login", 256)
  const senderId = id(payload, "sender.id")
  if (login === null || senderId === null) return null
  return { id: senderId, name: login, bot: at(payload, "sender.type") === "Bot" || login.endsWith("[bot]") }
}

function titleOf({ about, title }: EventShape, payload: unknown): string | null {
  if (typeof title === "function") return title(payload)
  const paths = title ?? (about === undefined ? [] : [`${about}.title`, `${about}.name`])
  return firstText(payload, paths, 512)?.split("\n", 1)[0] ?? null
}

function urlOf({ about, url }: EventShape, payload: unknown): string | null {
  const own = about === undefined ? [] : [`${about}.html_url`]
  for (const path of url ?? [...own, "repository.html_url"]) {
    const found = webAddress(payload, path)
    if (found !== null) return found
  }
  return null
}

const stamps = ["updated_at", "submitted_at", "completed_at", "published_at", "started_at", "created_at"]

function timeOf({ about, time: paths }: EventShape, payload: unknown): Date | null {
  // What is deleted says when it was last changed, and nothing says when it was deleted.
  if (actionOf(payload) === "deleted") return null
  const candidates = paths ?? (about === undefined ? [] : stamps.map((stamp) => `${about}.${stamp}`))
  for (const path of candidates) {
    const found = time(payload, path)
    if (found !== null) return found
  }
  return null
}

import { isFields, type Fields } from "../../../../core/fields.ts"
import type { Known, LoggedRecord, Recovered } from "../../../../core/remote.ts"
import { at } from "../../read.ts"
import { stateOf } from "../../state.ts"
import type { Client } from "../client.ts"

/** A repository whose records are read. */
export interface RecordSource {
  client: Client
  /** As the API gives it, and as webhooks carry it. */
  repository: Fields
  /** `acme/api` */
  name: string
  /** `/repos/acme/api` */
  path: string
  /** The events that the hooks are sent; no other is made. */
  events: ReadonlySet<string>
  since: Date
  until: Date
  now(): Date
}

export interface RecordSpec {
  event: string
  action?: string
  /** Tells this record from others of its event: an id. */
  id: string
  at: Date | null
  sender: unknown
  /** What of the payload is known without a further call: enough for its state. */
  subject: Fields
  /** Makes the payload whole by further calls; null where the thing is gone. */
  complete?: () => Promise<Fields | null>
  /** Where its state does not tell. */
  known?: Known
}

/** The event that a webhook would have brought, as a record; none where it lies outside the window. */
export function recordOf(source: RecordSource, spec: RecordSpec): LoggedRecord[] {
  const { event, action, at: when, subject } = spec
  if (when === null || when < source.since || when > source.until || !source.events.has(event)) return []
  const key = ["backfill", event, spec.id, action].filter((part) => part !== undefined).join("-")
  const base = {
    ...(action === undefined ? {} : { action }),
    ...subject,
    ...surroundings(source, spec.sender),
  }
  const state = stateOf(event, base)
  const known = spec.known ?? (state === null ? null : { record: state })
  const { complete } = spec
  return [
    {
      kind: "record",
      key,
      at: when,
      known,
      recovered:
        complete === undefined
          ? recovered(event, key, base)
          : async () => {
              const whole = await complete()
              return whole === null ? null : recovered(event, key, { ...base, ...whole })
            },
    },
  ]
}

function surroundings({ repository }: RecordSource, sender: unknown): Fields {
  const organization = organizationOf(repository)
  return {
    repository,
    ...(organization === null ? {} : { organization }),
    ...(isFields(sender) ? { sender } : {}),
  }
}

function organizationOf(repository: Fields): unknown {
  if (isFields(repository["organization"])) return repository["organization"]
  return at(repository, "owner.type") === "Organization" ? repository["owner"] : null
}

function recovered(event: string, key: string, payload: Fields): Recovered {
  return {
    headers: { "x-github-delivery": key, "x-github-event": event },
    contentType: "application/json",
    body: Buffer.from(JSON.stringify(payload)),
  }
}

/**
 * A thing as it was when something became of it: with that time for its last change, and what else is
 * known of then. Anything else about it is as it is now.
 */
export function asOf(thing: unknown, when: string, then: Fields = {}): Fields {
  return { ...(isFields(thing) ? thing : {}), updated_at: when, ...then }
}

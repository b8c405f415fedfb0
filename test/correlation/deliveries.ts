import { createCorrelation } from "../../src/correlation/correlation.ts"
import type { PlatformName } from "../../src/core/envelope.ts"
import { parsePayload } from "../../src/core/payload.ts"
import { platformByName, platforms } from "../../src/platforms/index.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { appendToLog } from "../../src/store/append-log.ts"
import { transaction, type Database } from "../../src/store/database.ts"
import { insertStates, settleLinks } from "../../src/store/entity-states.ts"
import { insertEvents } from "../../src/store/events.ts"
import { updateEvents } from "../../src/store/processing.ts"
import { insertLinks, insertReferences } from "../../src/store/relations.ts"
import { newEvent } from "../processing/support.ts"
import { uuidAt } from "../support/uuid-at.ts"

/** A body as GitHub or Linear sends it. */
export interface Delivery {
  platform: PlatformName
  headers: Readonly<Record<string, string>>
  payload: unknown
}

/** A webhook of GitHub's from a repository under the name that it has then. */
export function github(event: string, payload: object, fullName = "acme/api"): Delivery {
  const repository = { id: 7, full_name: fullName, default_branch: "main", ...stamps(0) }
  const headers = { "x-github-event": event, "x-github-delivery": "any" }
  return { platform: "github", headers, payload: { repository, ...payload } }
}

/** `created_at` and `updated_at`, in seconds after the beginning. */
export function stamps(updated: number, created = 0) {
  return { created_at: toSecond(created), updated_at: toSecond(updated) }
}

/** That many seconds after the beginning, as GitHub writes it. */
export function toSecond(seconds: number): string {
  return timeAt(seconds).replace(".000Z", "Z")
}

/** That many seconds after the beginning. */
export function timeAt(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 21) + seconds * 1000).toISOString()
}

/** A webhook of Linear's about a thing; `fields` go next to `data`. */
export function linear(type: string, action: string, data: object, fields: object = {}): Delivery {
  return { platform: "linear", headers: { "linear-event": type }, payload: { type, action, data, ...fields } }
}

/** What a pull request is at a time; the rest is filled in. */
interface PullRequest {
  title?: string
  body?: string | null
  branch?: string
  labels?: readonly string[]
  closed?: boolean
}

/** An event of Slack's in the team T1. */
export function slackEvent(event: object): Delivery {
  const payload = { type: "event_callback", event_id: "Ev1", team_id: "T1", event_time: 1_700_000_000, event }
  return { platform: "slack", headers: {}, payload }
}

/** The pull request that `pullRequest` and `comment` tell of, under its repository's first name. */
export const pr = "github:pull_request:acme/api#42"

/** What happens to acme/api#42, in a repository that may have another name by then. */
export function pullRequest(
  action: string,
  at: number,
  given: PullRequest = {},
  fullName?: string,
): Delivery {
  const { title = "Limit requests", body = null, branch = "limits", labels = [], closed = false } = given
  const repo = { id: 7, full_name: fullName ?? "acme/api", default_branch: "main" }
  const pull_request = {
    id: 500_042,
    number: 42,
    title,
    body,
    state: closed ? "closed" : "open",
    merged: closed,
    merged_at: closed ? toSecond(at) : null,
    closed_at: closed ? toSecond(at) : null,
    labels: labels.map((name) => ({ name })),
    head: { ref: branch, sha: "a".repeat(40), repo },
    base: { ref: "main" },
    ...stamps(at),
  }
  return github("pull_request", { action, number: 42, pull_request }, fullName)
}

/** What happens to one comment on it. */
export function comment(action: string, updated: number, body: string | null, fullName?: string): Delivery {
  const about = { id: 1, number: 42, title: "Limit requests", pull_request: {}, ...stamps(updated) }
  const said = { id: 9, body, ...stamps(updated, 10) }
  return github("issue_comment", { action, issue: about, comment: said }, fullName)
}

/** The issue that `linearIssue` tells of, as it is called in its first team. */
export const issue = "linear:issue:ENG-1"

/** What happens to ENG-1. */
export function linearIssue(action: string, at: number, data: object, updatedFrom?: object): Delivery {
  const team = { id: "team-1", key: "ENG" }
  const whole = { id: "uuid-1", identifier: "ENG-1", title: "Limits", team, updatedAt: timeAt(at), ...data }
  return linear("Issue", action, whole, {
    createdAt: timeAt(at),
    ...(updatedFrom === undefined ? {} : { updatedFrom: { updatedAt: timeAt(0), ...updatedFrom } }),
  })
}

const derive = createDerive(platforms, createCorrelation({ platforms }).correlate)

/** Takes deliveries in, each in a transaction of its own, a second after the other by our clock from `from`. */
export async function takeIn(
  database: Database,
  tenant: string,
  deliveries: readonly Delivery[],
  from = new Date("2026-11-22T00:00:00Z"),
): Promise<void> {
  for (const [index, { platform, headers, payload }] of deliveries.entries()) {
    const raw = Buffer.from(JSON.stringify(payload))
    const receivedAt = new Date(from.getTime() + index * 1000)
    const contentType = "application/json"
    const message = { headers, contentType, payload: parsePayload(raw, contentType), receivedAt }
    const identity = platformByName(platform)?.identify(message, raw)
    if (identity === undefined) throw new Error(`no platform ${platform}`)
    const { name, type } = identity
    const id = uuidAt(receivedAt)
    const event = newEvent(payload, { id, tenant, platform, name, type, headers, raw, receivedAt })
    const blank = { actor: null, entity: null, title: null, url: null, occurredAt: null }
    const derived = derive({ ...event, ...blank, backfilled: false }, 1)
    await transaction(database.work, async (db) => {
      await insertEvents(db, [event])
      await updateEvents(db, [derived.eventRow])
      await insertReferences(db, derived.referenceRows)
      await insertLinks(db, derived.linkRows)
      await insertStates(db, derived.stateRows)
      await appendToLog(db, [derived.logRow], [])
      await settleLinks(db, [event.id])
    })
  }
}

/** Gives a `taken` for a database: it takes a history in, in a tenant of its own, and answers the tenant. */
export function createTaken(database: Database): (deliveries: readonly Delivery[]) => Promise<string> {
  let tenants = 0
  return async (deliveries) => {
    const tenant = `tenant${++tenants}`
    await takeIn(database, tenant, deliveries)
    return tenant
  }
}

import { SignalboxError } from "../../../core/errors.ts"
import type { RecoveryAccess, Sighting } from "../../../core/remote.ts"
import { id, list, text } from "../read.ts"
import type { Client } from "./client.ts"

/** Where a hook is set up. */
export type HookPlace =
  | { kind: "repository"; owner: string; repo: string }
  | { kind: "organization"; org: string }
  | { kind: "app" }

/** A hook of GitHub's that speaks to this source. */
export interface Hook {
  id: string
  place: HookPlace
  /** Path of the hook in the API, without its `/deliveries`. */
  path: string
  /** For people: `hook 12 of acme/api`. */
  label: string
  /** The events that it is sent, `*` for all. */
  events: readonly string[]
}

const hookHeader = "x-github-hook-id"
const typeHeader = "x-github-hook-installation-target-type"
const targetHeader = "x-github-hook-installation-target-id"

/** A hook to look for: as the settings name it, or as its deliveries did. */
interface Candidate {
  id: string
  place: HookPlace
  /** When its latest delivery came; null for one that the settings name, which must be there. */
  lastSeenAt: Date | null
}

/**
 * The hooks of a source: those that `connect` has set up, and those whose deliveries have come. Throws
 * where there is none, or where none of them can be read. One that has spoken since `since` and cannot
 * be read is told of: nobody knows what else it sent.
 */
export async function findHooks(access: RecoveryAccess, client: Client, since: Date): Promise<Hook[]> {
  const leaveOut = (lastSeenAt: Date | null, why: string): void => {
    if (lastSeenAt !== null && lastSeenAt >= since) access.unchecked?.(why)
  }
  const named = namedHooks(access.settings["hooks"])
  const seen = await seenHooks(access, client, new Set(named.map((hook) => hook.id)), leaveOut)
  const hooks: Hook[] = []
  let refusal: SignalboxError | undefined
  for (const candidate of [...named, ...seen]) {
    const { lastSeenAt } = candidate
    const label = labelOf(candidate)
    if (candidate.place.kind === "app" && !isJwt(access.credential)) {
      refusal = appNeedsJwt()
      if (lastSeenAt === null) throw refusal
      leaveOut(lastSeenAt, `${label} is not checked: ${refusal.message}`)
      continue
    }
    try {
      hooks.push(await readHook(client, candidate, label))
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== "not_found" || lastSeenAt === null) throw error
      refusal = error
      leaveOut(lastSeenAt, `${label} is not checked: ${error.message}`)
    }
  }
  if (hooks.length === 0) throw refusal ?? noHook()
  return hooks
}

// What `connect` has written: `[{kind, id, owner?, repo?, org?}]`; whatever else is there is passed over.
function namedHooks(hooks: unknown): Candidate[] {
  return list({ hooks }, "hooks", 1_000).flatMap((entry) => {
    const hookId = id(entry, "id")
    const place = placeOf(entry)
    return hookId === null || place === null ? [] : [{ id: hookId, place, lastSeenAt: null }]
  })
}

function placeOf(entry: unknown): HookPlace | null {
  const kind = text(entry, "kind")
  const owner = text(entry, "owner")
  const repo = text(entry, "repo")
  const org = text(entry, "org")
  if (kind === "repository" && owner !== null && repo !== null) return { kind, owner, repo }
  if (kind === "organization" && org !== null) return { kind, org }
  return kind === "app" ? { kind } : null
}

async function seenHooks(
  access: RecoveryAccess,
  client: Client,
  known: ReadonlySet<string>,
  leaveOut: (lastSeenAt: Date, why: string) => void,
): Promise<Candidate[]> {
  const sightings = await access.sightings([hookHeader, typeHeader, targetHeader])
  const found = new Map<string, Candidate>()
  for (const sighting of sightings) {
    const { lastSeenAt } = sighting
    const hookId = headerId(sighting, hookHeader)
    const target = headerId(sighting, targetHeader)
    if (hookId === null || target === null || found.has(hookId) || known.has(hookId)) continue
    const place = await placeBehind(client, sighting.headers[typeHeader], target).catch((error: unknown) => {
      // Whoever sent it, its repository is gone or hidden: what is left of the others counts.
      if (!(error instanceof SignalboxError) || error.code !== "not_found") throw error
      leaveOut(lastSeenAt, `hook ${hookId} is not checked: ${error.message}`)
      return null
    })
    if (place !== null) found.set(hookId, { id: hookId, place, lastSeenAt })
  }
  return [...found.values()]
}

// Headers are not signed: nothing but digits may become a part of a path.
function headerId({ headers }: Sighting, name: string): string | null {
  const value = headers[name] ?? ""
  return /^\d{1,20}$/.test(value) ? value : null
}

async function placeBehind(
  client: Client,
  type: string | undefined,
  target: string,
): Promise<HookPlace | null> {
  if (type === "integration") return { kind: "app" }
  if (type === "organization") {
    const { data } = await client.get(`/organizations/${target}`, `organization ${target}`)
    const org = text(data, "login")
    return org === null ? null : { kind: "organization", org }
  }
  if (type !== "repository") return null
  const { data } = await client.get(`/repositories/${target}`, `repository ${target}`)
  const owner = text(data, "owner.login")
  const repo = text(data, "name")
  return owner === null || repo === null ? null : { kind: "repository", owner, repo }
}

async function readHook(client: Client, { id: hookId, place }: Candidate, label: string): Promise<Hook> {
  const path = hookPath(place, hookId)
  // The hook of an app has its events with the app.
  const { data } = await client.get(place.kind === "app" ? "/app" : path, label)
  const events = list(data, "events").filter((name) => typeof name === "string")
  return { id: hookId, place, path, label, events }
}

function hookPath(place: HookPlace, hookId: string): string {
  return place.kind === "app" ? "/app/hook" : `${hooksPath(place)}/${hookId}`
}

/** Path of the hooks of a repository or an organization. */
export function hooksPath(place: Exclude<HookPlace, { kind: "app" }>): string {
  return place.kind === "repository"
    ? `/repos/${encodeURIComponent(place.owner)}/${encodeURIComponent(place.repo)}/hooks`
    : `/orgs/${encodeURIComponent(place.org)}/hooks`
}

function labelOf({ id: hookId, place }: Candidate): string {
  if (place.kind === "app") return `hook ${hookId} of the app`
  return `hook ${hookId} of ${place.kind === "repository" ? `${place.owner}/${place.repo}` : place.org}`
}

// An app proves itself by a JWT; three parts in base64url, the first a JSON object.
function isJwt(credential: string): boolean {
  return /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(credential)
}

function appNeedsJwt(): SignalboxError {
  return new SignalboxError(
    "forbidden",
    "the deliveries of a GitHub App can be read with a JWT of the app only, and the credential is none",
  )
}

function noHook(): SignalboxError {
  return new SignalboxError(
    "configuration",
    "no hook is known to speak to this source: set one up by `signalbox sources connect github`, or wait for its first delivery",
  )
}

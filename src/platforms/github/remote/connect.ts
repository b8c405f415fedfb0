import { scrypt } from "node:crypto"
import { promisify } from "node:util"
import { SignalboxError } from "../../../core/errors.ts"
import { fieldsOf, listOf, type Fields } from "../../../core/fields.ts"
import type { ConnectPlan, ConnectRequest, ConnectStep } from "../../../core/remote.ts"
import { at, id, list, text } from "../read.ts"
import type { Client } from "./client.ts"
import { eventsFor } from "./connect-events.ts"
import { hooksPath, type HookPlace } from "./hooks.ts"

const derive = promisify<string, string, number, Buffer>(scrypt)

/** Options of `sources connect github`. */
export const connectOptions = {
  repo: "repositories to listen to, owner/name, comma-separated",
  org: "an organization to listen to, with all its repositories",
  events: "events to be sent, comma-separated, or all; without it, the usual ones",
}

type Place = Exclude<HookPlace, { kind: "app" }>

/** One webhook as it is to be. */
interface Wanted {
  place: Place
  name: string
  hookId: string | null
  action: ConnectStep["action"]
  events: readonly string[]
}

/**
 * Plans a webhook of each repository or organization asked for: the one that speaks to this address
 * already, or a new one. GitHub never tells a hook's secret, so one of whose secret the source's
 * settings do not say that it is ours is given ours.
 */
export async function planHooks(client: Client, request: ConnectRequest): Promise<ConnectPlan> {
  const { webhookUrl, options } = request
  const { secret } = request
  if (secret === null) {
    throw new SignalboxError("configuration", "a webhook of GitHub's needs a secret, and the source has none")
  }
  const marks = marksOf(request.access.settings["hooks"])
  const wanted: Wanted[] = []
  for (const place of placesOf(options)) {
    const name = place.kind === "repository" ? `${place.owner}/${place.repo}` : place.org
    const found = await hookTo(client, place, name, webhookUrl)
    const hookId = id(found, "id")
    const present = list(found, "events").filter((event) => typeof event === "string")
    const events = eventsFor(options["events"], present)
    const isOurs = hookId !== null && marks.get(hookId) === (await markOf(hookId, secret))
    const isReady = isOurs && isSetUp(found) && sameList(events, present.toSorted())
    wanted.push({
      place,
      name,
      hookId,
      events,
      action: hookId === null ? "create" : isReady ? "keep" : "update",
    })
  }
  return {
    steps: wanted.map((hook) => ({
      action: hook.action,
      what: `webhook of ${hook.name} to ${webhookUrl}, ${hook.events.includes("*") ? "all" : hook.events.length} events`,
    })),
    async apply() {
      const done: Fields[] = []
      for (const hook of wanted) done.push(await setUp(client, hook, webhookUrl, secret))
      return { settings: { hooks: merged(request.access.settings["hooks"], done) } }
    },
  }
}

function placesOf({ repo = "", org = "" }: Readonly<Record<string, string>>): Place[] {
  const names = repo.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]))
  const places = names.map((name): Place => {
    const match = /^([\w.-]{1,100})\/([\w.-]{1,100})$/.exec(name)
    if (match?.[1] === undefined || match[2] === undefined) {
      throw new SignalboxError("bad_request", `--repo: "${name}" is not of the form owner/name`)
    }
    return { kind: "repository", owner: match[1], repo: match[2] }
  })
  if (org.trim() !== "") {
    if (!/^[\w.-]{1,100}$/.test(org.trim())) {
      throw new SignalboxError("bad_request", `--org: "${org}" is not the name of an organization`)
    }
    places.push({ kind: "organization", org: org.trim() })
  }
  if (places.length === 0) {
    throw new SignalboxError("bad_request", "say what to listen to: --repo owner/name, or --org name")
  }
  return places
}

async function hookTo(client: Client, place: Place, name: string, url: string): Promise<unknown> {
  let page: string | null = `${hooksPath(place)}?per_page=100`
  while (page !== null) {
    const { data, next }: { data: unknown; next: string | null } = await client.get(
      page,
      subjectOf(place, name),
    )
    const found = list({ data }, "data").find((hook) => isSameUrl(text(hook, "config.url", 4096), url))
    if (found !== undefined) return found
    page = next
  }
  return null
}

async function setUp(client: Client, hook: Wanted, url: string, secret: string): Promise<Fields> {
  const { place, name, hookId, events, action } = hook
  const body = {
    active: true,
    events,
    config: { url, content_type: "json", secret, insecure_ssl: "0" },
  }
  const path = hooksPath(place)
  const subject = subjectOf(place, name)
  const made =
    action === "keep"
      ? hookId
      : hookId === null
        ? id((await client.send("POST", path, subject, { body: { name: "web", ...body } })).data, "id")
        : id(
            (await client.send("PATCH", `${path}/${hookId}`, subject, { body, repeatable: true })).data,
            "id",
          )
  if (made === null) {
    throw new SignalboxError(
      "unavailable",
      `GitHub did not say which webhook of ${name} it has made: try again`,
    )
  }
  return { ...place, id: made, secretMark: await markOf(made, secret) }
}

function subjectOf({ kind }: Place, name: string): { what: string; needs: string } {
  return kind === "repository"
    ? {
        what: `the webhooks of ${name}`,
        needs:
          "the scope admin:repo_hook, or for a fine-grained token the permission Webhooks: read and write",
      }
    : {
        what: `the webhooks of the organization ${name}`,
        needs:
          "the scope admin:org_hook, or for a fine-grained token the permission Organization webhooks: read and write",
      }
}

function isSameUrl(one: string | null, other: string): boolean {
  return one?.replace(/\/+$/, "") === other.replace(/\/+$/, "")
}

function isSetUp(hook: unknown): boolean {
  return (
    at(hook, "active") === true &&
    at(hook, "config.content_type") === "json" &&
    String(at(hook, "config.insecure_ssl")) === "0"
  )
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}

/** Tells whether a hook was given this very secret; slow to guess from, should the settings be stolen. */
async function markOf(hookId: string, secret: string): Promise<string> {
  const mark = await derive(secret, `signalbox github hook ${hookId}`, 16)
  return mark.toString("base64url")
}

function marksOf(hooks: unknown): Map<string, string> {
  return new Map(
    listOf(hooks).flatMap((hook) => {
      const hookId = id(hook, "id")
      const mark = text(hook, "secretMark")
      return hookId === null || mark === null ? [] : [[hookId, mark] as const]
    }),
  )
}

/** What was set up, among what the settings name besides. */
function merged(hooks: unknown, done: readonly Fields[]): Fields[] {
  const ids = new Set(done.map((hook) => hook["id"]))
  const others = listOf(hooks).filter((hook) => !ids.has(id(hook, "id")))
  return [...others.map(fieldsOf), ...done]
}

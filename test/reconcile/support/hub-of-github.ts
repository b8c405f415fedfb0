import { setupServer } from "msw/node"
import { afterAll } from "vitest"
import { silentLog } from "../../../src/core/log.ts"
import type { Source } from "../../../src/core/source.ts"
import { github } from "../../../src/platforms/github/index.ts"
import { stateOf } from "../../../src/platforms/github/state.ts"
import type { ReconcileOptions } from "../../../src/reconcile/options.ts"
import { reconcileSource, type ReconcileOutcome } from "../../../src/reconcile/reconcile-source.ts"
import type { ReconcileParts, ReconcileTarget } from "../../../src/reconcile/run.ts"
import type { Database } from "../../../src/store/database.ts"
import type { GithubWorld, GithubWorldOptions } from "../../support/worlds/github-state.ts"
import { createGithubWorld } from "../../support/worlds/github.ts"
import type { Thing } from "../../support/worlds/github-things.ts"
import { ledgerOf as lineOf } from "./ledger-of.ts"
import { startSources } from "./start-sources.ts"
import { untilComplete, type Passage } from "./until-complete.ts"

const secret = "the secret of the world's hooks"

const saas = setupServer()
saas.listen({ onUnhandledFrame: "bypass" }) // the hub itself is reached for real
afterAll(() => saas.close())

/** A source of a hub, and the GitHub that speaks to it. */
export interface GithubHub extends Passage {
  database: Database
  world: GithubWorld
  source: Source
  target: ReconcileTarget
  parts: ReconcileParts
}

export interface NewWorldOptions extends Partial<GithubWorldOptions> {
  options?: ReconcileOptions
  /** One hook of the organization, as `connect` sets it up, instead of one of each repository. */
  ofOrganization?: boolean
}

/** Starts a hub on a database of the test file's own; gives a maker of sources, each with a GitHub of its own. */
export async function startGithubHub(): Promise<(more?: NewWorldOptions) => Promise<GithubHub>> {
  const { database, url, submit, sources } = await startSources(github)
  return async ({ options = {}, ofOrganization = false, ...worldOptions } = {}) => {
    let ahead = 0
    const clock = (): Date => new Date(Date.now() + ahead)
    const name = `world-${sources.size + 1}`
    const { rows } = await database.work.query<{ id: string }>(
      `insert into sources (platform, name, created_at)
       values ('github', $1, now() - interval '30 days') returning id`,
      [name],
    )
    const world = createGithubWorld({ secret, clock, ...worldOptions })
    world.hookUrl = `${url}/webhooks/github/${name}`
    saas.use(...world.handlers)
    afterAll(() => world.idle())
    for (const repository of world.repositories.keys()) world.addHook(repository)
    const settings = ofOrganization ? { hooks: [moveToOrganization(world)] } : {}
    const secrets = [{ id: "one", value: secret }]
    const id = rows[0]?.id ?? ""
    const source: Source = { id, tenant: "default", platform: "github", name, settings, secrets }
    sources.set(name, source)
    const hasty = { settleMs: 0, patienceMs: 2_000, spacingMs: 0, processingMs: 20_000, ...options }
    return {
      database,
      world,
      source,
      target: { source, platform: github, credential: world.token, apiUrl: world.apiUrl },
      parts: { pool: database.work, submit, clock, log: silentLog, options: hasty },
      pass: (ms) => void (ahead += ms),
      clock,
    }
  }
}

function moveToOrganization(world: GithubWorld): Thing {
  for (const { hooks } of world.repositories.values()) world.orgHooks.push(...hooks.splice(0))
  return { kind: "organization", org: world.org, id: String(world.orgHooks[0]?.id) }
}

/** Reconciles, letting time pass wherever GitHub asks for it, until the source is complete. */
export function reconcileToEnd(hub: GithubHub, since?: Date): Promise<ReconcileOutcome[]> {
  return untilComplete(hub, (round) => {
    const signal = new AbortController().signal
    const first = round === 0 && since !== undefined ? { since } : {}
    return reconcileSource(hub.parts, hub.target, { signal, ...first })
  })
}

/** What happened, by what tells one thing from another, whichever way it is told. */
function fingerprint(event: string, payload: Thing, guid: string): string {
  const state = stateOf(event, payload)
  if (state !== null) return state
  const subject = (payload["pull_request"] ?? payload["issue"]) as Thing | undefined
  if (payload["action"] !== "reopened" && payload["action"] !== "closed") return guid
  return `${event}:${payload["action"]}:${String(subject?.["id"])}@${String(subject?.["updated_at"])}`
}

/** The fingerprints of all events that are here, sorted. */
export async function fingerprintsHere({ database, source }: GithubHub): Promise<string[]> {
  const { rows } = await database.work.query<{ headers: Record<string, string>; raw: Buffer }>(
    "select headers, raw from events where platform = 'github' and source = $1",
    [source.name],
  )
  return rows
    .map(({ headers, raw }) =>
      fingerprint(
        headers["x-github-event"] ?? "",
        JSON.parse(raw.toString()),
        headers["x-github-delivery"] ?? "",
      ),
    )
    .toSorted()
}

/** The fingerprints of all that happened in the world, sorted. */
export function fingerprintsThere({ world }: GithubHub): string[] {
  return [...world.deliveries.values()]
    .map(({ event, payload, guid }) => fingerprint(event, payload, guid))
    .toSorted()
}

/** The ledger's line of the source. */
export const ledgerOf = ({ database, source }: GithubHub) => lineOf(database, source)

/** What was fetched instead of being sent, by delivery key. */
export async function backfilled({
  database,
  source,
}: GithubHub): Promise<{ key: string; payload: unknown }[]> {
  const { rows } = await database.work.query<{ key: string; raw: Buffer }>(
    "select delivery_id as key, raw from events where backfilled and source = $1 order by 1",
    [source.name],
  )
  return rows.map(({ key, raw }) => ({ key, payload: JSON.parse(raw.toString()) }))
}

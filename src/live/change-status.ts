import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { edgesOf } from "../store/live-edges.ts"
import { latestFields, latestTitle } from "../store/live-facts.ts"
import type { Ancestry } from "./ancestry.ts"
import type { Change } from "./change.ts"
import { combine, partsOfIssue, type Parts } from "./combine.ts"
import { isPullRequest, loadChanges, shaOf } from "./load-changes.ts"
import { loadFollowed, loadTracks } from "./load-tracks.ts"
import { reverterOf } from "./standing.ts"
import type { PullRequestStatus, Status } from "./status.ts"
import { subjectOf, type Subject } from "./subject.ts"
import { summaryOf } from "./summary.ts"

/**
 * How an issue, a pull request or a commit stands, and in which environments it is live. It follows from
 * what is stored, whatever the order and however often that came.
 */
export async function changeStatus(db: Db, tenant: string, entity: string, asOf: AsOf): Promise<Status> {
  const standing = await standingOf(db, tenant, entity, await subjectOf(db, tenant, entity, asOf), asOf)
  return { ...standing, summary: summaryOf(standing) }
}

/** How a subject stands, and each pull request of it. */
export async function standingOf(
  db: Db,
  tenant: string,
  entity: string,
  subject: Subject,
  asOf: AsOf,
): Promise<Omit<Status, "summary">> {
  const byKey = await loadChanges(db, tenant, subject.changes, asOf)
  const changes = [...new Set(subject.changes.flatMap((key) => byKey.get(key) ?? []))]
  const heads = await headsOf(db, tenant, changes, asOf)
  const loaded = await loadTracks(db, tenant, { subject, changes, heads }, asOf)
  const isShipped = [subject, ...byKey.values()].some(({ shippedBy }) => shippedBy.size > 0)
  const { tracks, ancestry } = await loadFollowed(
    db,
    tenant,
    loaded,
    { changes, all: byKey.values(), isShipped },
    asOf,
  )

  const things = [{ key: entity, keys: subject.keys }, ...changes]
  const fields = await latestFields(db, tenant, { things, names: ["title", "state"] }, asOf)
  const text = (key: string, name: string): string | null => textOf(fields.get(key)?.[name])
  const stateOf = ({ key }: Change): string | null => text(key, "state")?.toLowerCase() ?? null
  const previewsOf = (some: readonly Change[]): Set<string> =>
    new Set(some.flatMap((change) => [...change.carriers, ...(heads.get(change) ?? [])]))

  const pullRequests = changes
    .filter(({ key }) => isPullRequest(key))
    .map((change) => {
      const parts = { every: [change], some: [], previewed: previewsOf([change]), stateOf }
      const { live } = combine(parts, tracks, ancestry)
      return { ...showPullRequest(change, ancestry, stateOf(change)), title: text(change.key, "title"), live }
    })
  const parts: Parts = {
    ...partsOf(entity, subject, changes, ancestry),
    previewed: previewsOf(changes),
    stateOf,
  }
  const own = pullRequests.find(({ entity: key }) => byKey.get(entity)?.key === key)
  return {
    entity,
    title: text(entity, "title") ?? (await latestTitle(db, tenant, [...subject.keys], asOf)),
    state: own?.state ?? text(entity, "state")?.toLowerCase() ?? stateOfCommit(entity, ancestry),
    ...combine(parts, tracks, ancestry),
    pullRequests,
  }
}

/** An issue is live by all that implements it; a commit by itself or by any pull request that it came with. */
function partsOf(
  entity: string,
  { keys, shippedBy }: Subject,
  changes: readonly Change[],
  ancestry: Ancestry,
): Pick<Parts, "every" | "some" | "shipped"> {
  if (shaOf(entity) !== null) return { every: [], some: changes }
  const itself = {
    key: entity,
    keys,
    mergedAt: null,
    mergeCommit: null,
    carriers: [],
    head: null,
    reverters: [],
    takenAlongBy: [],
    shippedBy,
  }
  return { ...partsOfIssue(changes, ancestry), shipped: shippedBy.size === 0 ? null : itself }
}

/** `pushed` of a commit that a push showed; null of anything else. */
function stateOfCommit(entity: string, ancestry: Ancestry): string | null {
  const sha = shaOf(entity)
  return sha !== null && ancestry.repositories(sha).length > 0 ? "pushed" : null
}

/** The commits at the heads of pull requests, of which previews are made. */
async function headsOf(
  db: Db,
  tenant: string,
  changes: readonly Change[],
  asOf: AsOf,
): Promise<ReadonlyMap<Change, readonly string[]>> {
  const entities = changes.flatMap(({ keys }) => [...keys])
  const edges = await edgesOf(db, tenant, { side: "out of", entities, relations: ["contains"] }, asOf)
  return new Map(
    changes.map((change) => [
      change,
      edges.flatMap(({ from, to }) => (change.keys.has(from) ? (shaOf(to) ?? []) : [])),
    ]),
  )
}

function showPullRequest(
  change: Change,
  ancestry: Ancestry,
  state: string | null,
): Omit<PullRequestStatus, "title" | "live"> {
  const merged = change.carriers.length > 0 || state === "merged"
  return {
    entity: change.key,
    state: merged ? "merged" : state,
    merged,
    mergedAt: change.mergedAt,
    mergeCommit: change.mergeCommit ?? change.carriers[0] ?? null,
    revertedBy: reverterOf(change, ancestry)?.key ?? null,
  }
}

function textOf(value: unknown): string | null {
  // A long text is kept as a digest.
  return typeof value === "string" && value !== "" && !value.startsWith("sha256:") ? value : null
}

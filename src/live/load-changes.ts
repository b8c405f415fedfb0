import { entityKey } from "../core/entity-key.ts"
import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { edgesOf, sameAs } from "../store/live-edges.ts"
import { likesOf, mergesOf } from "../store/live-facts.ts"
import type { Change } from "./change.ts"
import { latestHeads, mergedOnwardFrom } from "./load-onward.ts"

// A revert of a revert of a revert, a branch merged into a branch, a copy of a copy: so many steps are followed.
const maxSteps = 8
const maxCopies = 3
const maxChanges = 300

/** A change while it is put together. */
interface Draft extends Change {
  keys: Set<string>
  carriers: string[]
  shippedBy: Set<string>
  takenAlongBy: Change[]
}

/**
 * Loads changes by their keys: as which commits they came, what reverts them or took them along, and what reverts that. A
 * commit that brought a pull request is that pull request, so two keys may lead to one change.
 */
export async function loadChanges(
  db: Db,
  tenant: string,
  keys: readonly string[],
  asOf: AsOf,
): Promise<ReadonlyMap<string, Change>> {
  const byKey = new Map<string, Draft>()
  const reverts: { change: Draft; by: string }[] = []
  const onward: { change: Draft; by: string }[] = []
  let wanted = [...new Set(keys)]
  for (let depth = 0; depth <= maxSteps && wanted.length > 0; depth++) {
    const fresh = await begin(wanted.slice(0, maxChanges))
    await addCarriers(fresh)
    await addCopies(fresh)
    await addHeads(fresh)
    const reverting = await revertsOf(fresh)
    const takingAlong = await mergedOnwardFrom(db, tenant, fresh, asOf)
    reverts.push(...reverting)
    onward.push(...takingAlong)
    wanted = [...new Set([...reverting, ...takingAlong].map(({ by }) => by))].filter((key) => !byKey.has(key))
  }
  const join = (change: Draft, by: string, list: Change[]): void => {
    const other = byKey.get(by)
    if (other !== undefined && other !== change && !list.includes(other)) list.push(other)
  }
  for (const { change, by } of reverts) join(change, by, change.reverters)
  for (const { change, by } of onward) join(change, by, change.takenAlongBy)
  for (const draft of byKey.values()) draft.carriers.sort()
  return byKey

  /** Drafts of what is not there yet. */
  async function begin(fresh: readonly string[]): Promise<Draft[]> {
    const pullRequests = await pullRequestsOf(fresh)
    const own = fresh.map((key) => pullRequests.get(key) ?? key)
    const groups = await sameAs(db, tenant, own, asOf)
    const begun: Draft[] = []
    for (const [index, key] of own.entries()) {
      let draft = byKey.get(key)
      if (draft === undefined) {
        const sha = shaOf(key)
        draft = {
          key,
          keys: new Set([...(groups.get(key) ?? []), key].flatMap(withTwin)),
          mergedAt: null,
          mergeCommit: null,
          carriers: sha === null ? [] : [sha],
          head: null,
          reverters: [],
          takenAlongBy: [],
          shippedBy: new Set(),
        }
        begun.push(draft)
        for (const name of draft.keys) byKey.set(name, draft)
      }
      byKey.set(fresh[index] ?? key, draft)
    }
    return begun
  }

  /** The pull requests that commits brought. */
  async function pullRequestsOf(fresh: readonly string[]): Promise<Map<string, string>> {
    const commits = fresh.filter((key) => shaOf(key) !== null)
    const shas = commits.flatMap((key) => shaOf(key) ?? [])
    if (commits.length === 0) return new Map()
    const edges = await edgesOf(
      db,
      tenant,
      { side: "out of", entities: commits, relations: ["merge_of"] },
      asOf,
    )
    const merges = await mergesOf(db, tenant, { pullRequests: [], shas }, asOf)
    return new Map([
      ...edges.flatMap(({ from, to }) =>
        withTwin(to)
          .filter(isPullRequest)
          .map((twin) => [from, twin] as const),
      ),
      ...merges.map(({ sha, pullRequest }) => [entityKey.githubCommit(sha), pullRequest] as const),
    ])
  }

  async function addCarriers(drafts: readonly Draft[]): Promise<void> {
    const entities = drafts.flatMap((draft) => [...draft.keys])
    const relations = ["merge_of", "cherry_picks", "ships"]
    const edges = await edgesOf(db, tenant, { side: "into", entities, relations }, asOf)
    const merges = await mergesOf(db, tenant, { pullRequests: entities, shas: [] }, asOf)
    for (const { pullRequest, sha, mergedAt, head } of merges) {
      const draft = byKey.get(pullRequest)
      if (draft === undefined) continue
      draft.mergedAt ??= mergedAt
      draft.mergeCommit ??= sha
      draft.head ??= head
      carry(draft, sha)
    }
    for (const { from, to, relation } of edges) {
      const draft = byKey.get(to)
      const sha = shaOf(from)
      if (draft === undefined) continue
      if (relation === "ships") draft.shippedBy.add(from)
      else if (sha !== null) carry(draft, sha)
    }
    // A pull request that picks another onto a further branch brings it there.
    const picks = edges.filter(({ from, relation }) => relation === "cherry_picks" && isPullRequest(from))
    const picked = await mergesOf(db, tenant, { pullRequests: picks.map(({ from }) => from), shas: [] }, asOf)
    for (const { from, to } of picks) {
      const draft = byKey.get(to)
      for (const { pullRequest, sha } of picked) {
        if (draft !== undefined && pullRequest === from) carry(draft, sha)
      }
    }
  }

  /** Adds what was picked or rebased from the carriers onto other branches. */
  async function addCopies(drafts: readonly Draft[]): Promise<void> {
    let fresh = drafts.flatMap((draft) => draft.carriers.map((sha) => ({ draft, sha })))
    for (let depth = 0; depth < maxCopies && fresh.length > 0; depth++) {
      const shas = fresh.map(({ sha }) => sha)
      const entities = shas.map(entityKey.githubCommit)
      const picks = await edgesOf(db, tenant, { side: "into", entities, relations: ["cherry_picks"] }, asOf)
      const likes = await likesOf(db, tenant, shas, asOf)
      const copies = Map.groupBy(
        [
          ...picks.flatMap(({ from, to }) => ({ sha: shaOf(to), copy: shaOf(from) })),
          ...likes.map(({ sha, like }) => ({ sha, copy: like })),
        ],
        ({ sha }) => sha,
      )
      fresh = fresh.flatMap(({ draft, sha }) =>
        (copies.get(sha) ?? []).flatMap(({ copy }) =>
          copy !== null && carry(draft, copy) ? [{ draft, sha: copy }] : [],
        ),
      )
    }
  }

  async function addHeads(drafts: readonly Draft[]): Promise<void> {
    const headless = drafts.filter(({ key, head }) => head === null && isPullRequest(key))
    const heads = await latestHeads(db, tenant, headless, asOf)
    for (const draft of headless) draft.head = heads.get(draft.key) ?? null
  }

  async function revertsOf(drafts: readonly Draft[]): Promise<{ change: Draft; by: string }[]> {
    const named = new Map<string, Draft[]>()
    for (const draft of drafts) {
      for (const key of [...draft.keys, ...draft.carriers.map(entityKey.githubCommit)]) {
        named.set(key, [...(named.get(key) ?? []), draft])
      }
    }
    const edges = await edgesOf(
      db,
      tenant,
      { side: "into", entities: [...named.keys()], relations: ["reverts"] },
      asOf,
    )
    return edges.flatMap(({ from, to }) => (named.get(to) ?? []).map((change) => ({ change, by: from })))
  }
}

/** The commit of an entity key; null where it is of another kind. */
export function shaOf(key: string): string | null {
  return /^github:commit:([0-9a-f]{40}|[0-9a-f]{64})$/.exec(key)?.[1] ?? null
}

/** Whether a key is that of a pull request by its number. */
export function isPullRequest(key: string): boolean {
  return key.startsWith("github:pull_request:")
}

/** A number may stand for a pull request or an issue, and words do not always tell which. */
function withTwin(key: string): string[] {
  const number = /^github:(?:pull_request|issue):(.+)$/.exec(key)?.[1]
  return number === undefined ? [key] : [`github:pull_request:${number}`, `github:issue:${number}`]
}

/** Whether the commit is a new carrier. */
function carry(draft: Draft, sha: string): boolean {
  if (draft.carriers.includes(sha)) return false
  draft.carriers.push(sha)
  return true
}

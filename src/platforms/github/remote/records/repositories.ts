import { isFields, type Fields } from "../../../../core/fields.ts"
import { id, list, time } from "../../read.ts"
import type { Client } from "../client.ts"
import type { Hook } from "../hooks.ts"

/** A repository whose hooks speak to us, and what they are sent. */
export interface HookedRepository {
  id: number
  repository: Fields
  events: Set<string>
}

/**
 * The repositories of hooks, by id: a repository's own; of an organization those that were pushed to
 * or changed since then. An app's are not seen by what reads its deliveries.
 */
export async function hookedRepositories(
  client: Client,
  hooks: readonly Hook[],
  since: Date,
): Promise<HookedRepository[]> {
  const found = new Map<string, HookedRepository>()
  for (const hook of hooks) {
    for (const repository of await repositoriesOf(client, hook, since)) {
      const key = id(repository, "id")
      if (key === null) continue
      const entry = found.get(key) ?? { id: Number(key), repository, events: new Set() }
      for (const event of hook.events) entry.events.add(event)
      found.set(key, entry)
    }
  }
  return [...found.values()].toSorted((a, b) => a.id - b.id)
}

async function repositoriesOf(client: Client, { place }: Hook, since: Date): Promise<Fields[]> {
  if (place.kind === "app") return []
  if (place.kind === "repository") {
    const { owner, repo } = place
    const path = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}`
    const { data } = await client.get(path, `repository ${owner}/${repo}`)
    return isFields(data) ? [data] : []
  }
  const path = `/orgs/${encodeURIComponent(place.org)}/repos?direction=desc&per_page=100`
  const label = `the repositories of ${place.org}`
  return [
    ...(await changedSince(client, `${path}&sort=pushed`, "pushed_at", since, label)),
    ...(await changedSince(client, `${path}&sort=updated`, "updated_at", since, label)),
  ]
}

async function changedSince(
  client: Client,
  path: string,
  stamp: string,
  since: Date,
  label: string,
): Promise<Fields[]> {
  const found: Fields[] = []
  let page: string | null = path
  while (page !== null) {
    const { data, next }: { data: unknown; next: string | null } = await client.get(page, label)
    const changed = list({ data }, "data").filter(
      (entry) => (time(entry, stamp)?.getTime() ?? 0) >= since.getTime(),
    )
    found.push(...changed.filter(isFields))
    page = changed.length < list({ data }, "data").length ? null : next
  }
  return found
}

import { isFields, type Fields } from "../../../../core/fields.ts"
import type { LoggedRecord } from "../../../../core/remote.ts"
import { at, id, list, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { recordOf, type RecordSource } from "./record.ts"
import { orNull } from "./things.ts"

const noCommit = /^0+$/

/** Pushes to branches, by the repository's activity; pushes of tags are not in it. */
export function pushes(source: RecordSource): Strand {
  const { client, path, name, since, now } = source
  return newestFirst({
    key: `pushes ${path}`,
    client,
    path: `${path}/activity?direction=desc&per_page=100`,
    label: `pushes to ${name}`,
    sortedBy: "timestamp",
    since,
    moves: false,
    now,
    records: (entries) => entries.flatMap((entry) => pushed(source, entry)),
  })
}

function pushed(source: RecordSource, entry: unknown): LoggedRecord[] {
  const ref = text(entry, "ref")
  const before = text(entry, "before", 64)
  const after = text(entry, "after", 64)
  const happened = time(entry, "timestamp")
  if (ref === null || before === null || after === null || happened === null) return []
  const kind = text(entry, "activity_type")
  const home = text(source.repository, "html_url") ?? ""
  const push = {
    ref,
    before,
    after,
    created: noCommit.test(before),
    deleted: noCommit.test(after),
    forced: kind === "force_push",
    base_ref: null,
    compare: `${home}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    pusher: { name: text(entry, "actor.login") },
  }
  const pushedAt = Math.floor(happened.getTime() / 1_000) // a push has it in seconds
  return recordOf(source, {
    event: "push",
    id: id(entry, "id") ?? "",
    at: happened,
    sender: at(entry, "actor"),
    subject: push,
    complete: async () => {
      const commits = push.deleted ? [] : await commitsOf(source, push)
      // A merge brings commits that were pushed before, on their own branch.
      const merged = kind === "pr_merge" || kind === "merge_queue_merge"
      const listed = commits.map((commit): Fields => ({
        ...commit,
        distinct: !merged || commit["id"] === after,
      }))
      return {
        commits: listed,
        head_commit: listed.find((commit) => commit["id"] === after) ?? null,
        repository: { ...source.repository, pushed_at: pushedAt },
      }
    },
  })
}

/** The commits that a push brought, oldest first; at the least its head. */
async function commitsOf(
  { client, path, name, repository }: RecordSource,
  { before, after, created, ref }: { before: string; after: string; created: boolean; ref: string },
): Promise<Fields[]> {
  const trunk = text(repository, "default_branch")
  const base = created ? (ref === `refs/heads/${trunk}` ? null : trunk) : before
  const compared =
    base === null
      ? null
      : await orNull(
          client.get(`${path}/compare/${encodeURIComponent(base)}...${after}`, `commits of ${name}`),
        )
  const commits = list(compared, "commits").flatMap(commitOf)
  if (commits.at(-1)?.["id"] === after) return commits
  const head = await orNull(client.get(`${path}/commits/${after}`, `commit ${after} of ${name}`))
  return [...commits, ...commitOf(head)]
}

// The API has a commit in another form than a push.
function commitOf(commit: unknown): Fields[] {
  const sha = text(commit, "sha", 64)
  if (sha === null) return []
  return [
    {
      id: sha,
      tree_id: text(commit, "commit.tree.sha", 64),
      message: at(commit, "commit.message"),
      timestamp: at(commit, "commit.committer.date"),
      url: at(commit, "html_url"),
      author: person(commit, "author"),
      committer: person(commit, "committer"),
    },
  ]
}

function person(commit: unknown, role: string): Fields {
  const found = at(commit, `commit.${role}`)
  const username = text(commit, `${role}.login`)
  return { ...(isFields(found) ? found : {}), ...(username === null ? {} : { username }) }
}

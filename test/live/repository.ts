import { createHash } from "node:crypto"
import type pg from "pg"
import { afterAll } from "vitest"
import { parsePayload } from "../../src/core/payload.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { entityStatus } from "../../src/live/entity-status.ts"
import { platformByName, platforms } from "../../src/platforms/index.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { writeDerived, writeLinks } from "../../src/processing/write-derived.ts"
import { appendToLog } from "../../src/store/append-log.ts"
import { createPool, readAs, transaction, type Database } from "../../src/store/database.ts"
import { settleLinks } from "../../src/store/entity-states.ts"
import { insertEvents } from "../../src/store/events.ts"
import { newEvent } from "../processing/support.ts"

/** A body as its sender sends it. */
export interface Delivery {
  platform: "github" | "linear" | "deployment"
  headers: Readonly<Record<string, string>>
  payload: unknown
}

export interface Commit {
  sha: string
  message: string
  author: string
  parents: readonly Commit[]
  /** What it changes. */
  files?: readonly string[]
}

/** A pull request of the repository. */
export interface PullRequest {
  number: number
  title: string
  branch: string
  body: string | null
  /** Head of its branch. */
  head: Commit
}

const noCommit = "0".repeat(40)

/** That many minutes after the beginning. */
export function minute(minutes: number): string {
  return new Date(Date.UTC(2026, 10, 21, 9) + minutes * 60_000).toISOString().replace(".000Z", "Z")
}

/** A repository that is worked on: what is done to it adds the webhooks that tell of it. Each takes a minute. */
export function createRepository(name = "acme/api") {
  const deliveries: Delivery[] = []
  const branches = new Map<string, Commit>()
  let commits = 0
  let now = 0

  const repository = () => ({
    id: 7,
    full_name: name,
    default_branch: "main",
    pushed_at: Date.parse(minute(now)) / 1000,
  })
  const github = (event: string, payload: object): void => {
    const headers = {
      "x-github-event": event,
      "x-github-delivery": `${name.replace("/", "-")}-${deliveries.length}`,
    }
    deliveries.push({ platform: "github", headers, payload: { repository: repository(), ...payload } })
  }

  const commit = (message: string, parents: readonly Commit[], author = "dev"): Commit => {
    const sha = createHash("sha1").update(`${name} ${++commits} ${message}`).digest("hex")
    return { sha, message, author, parents }
  }
  const head = (branch: string): Commit => {
    const found = branches.get(branch)
    if (found === undefined) throw new Error(`no branch ${branch}`)
    return found
  }

  /** Sets a branch to a commit, and tells of it; `unheard` tells nobody. */
  const push = (
    branch: string,
    to: Commit,
    { unheard = false, listed = 2048, wait = 1 }: { unheard?: boolean; listed?: number; wait?: number } = {},
  ): Commit => {
    now += wait
    const from = branches.get(branch)
    branches.set(branch, to)
    if (unheard) return to
    const others =
      from === undefined ? [...branches].flatMap(([other, tip]) => (other === branch ? [] : tip)) : [from]
    const before = new Set(others.flatMap((other) => [...ancestors(other)]))
    const all = [...ancestors(to)].filter((one) => !before.has(one)).toReversed()
    const list = all.slice(-listed).map(({ sha, message, author, files }) => ({
      id: sha,
      message,
      timestamp: minute(now),
      distinct: true,
      author: { name: author, email: `${author}@acme.example` },
      added: [],
      removed: [],
      modified: files ?? ["README.md"],
    }))
    github("push", {
      ref: branch.startsWith("refs/") ? branch : `refs/heads/${branch}`,
      before: from?.sha ?? noCommit,
      after: to.sha,
      created: from === undefined,
      deleted: false,
      forced: from !== undefined && !ancestors(to).has(from),
      commits: list,
      head_commit: { id: to.sha, message: to.message },
    })
    return to
  }

  const pullRequestEvent = (action: string, pr: PullRequest, fields: object, into = "main"): void => {
    now += 1
    const of = { id: 7, full_name: name, default_branch: "main" }
    github("pull_request", {
      action,
      number: pr.number,
      pull_request: {
        id: 500_000 + pr.number,
        number: pr.number,
        title: pr.title,
        body: pr.body,
        state: "open",
        merged: false,
        merged_at: null,
        merge_commit_sha: null,
        head: { ref: pr.branch, sha: pr.head.sha, repo: of },
        base: { ref: into, repo: of },
        created_at: minute(0),
        updated_at: minute(now),
        ...fields,
      },
    })
  }
  const merged = (pr: PullRequest, by: Commit, into: string): Commit => {
    const merge = { state: "closed", merged: true, merged_at: minute(now), merge_commit_sha: by.sha }
    pullRequestEvent("closed", pr, merge, into)
    return by
  }

  branches.set("main", commit("The beginning", []))
  return {
    deliveries,
    head,
    push,
    commit,
    /** The minute that it is now. */
    time: () => now,
    /** A commit on top of a branch, pushed. */
    grow: (branch: string, message: string, author = "dev"): Commit =>
      push(branch, commit(message, [head(branch)], author)),
    /** A branch off another, pushed with commits of these messages; with none, made where the other stands. */
    branch: (branch: string, from: string | Commit, ...messages: string[]): Commit => {
      let tip = typeof from === "string" ? head(from) : from
      for (const message of messages) tip = commit(message, [tip])
      return push(branch, tip)
    },
    deleteBranch: (branch: string): void => {
      now += 1
      const before = head(branch).sha
      branches.delete(branch)
      github("push", {
        ref: `refs/heads/${branch}`,
        before,
        after: noCommit,
        deleted: true,
        commits: [],
        head_commit: null,
      })
    },
    /** A pull request from a branch that has commits of its own. */
    open: (
      number: number,
      title: string,
      given: { branch?: string; body?: string; from?: string } = {},
    ): PullRequest => {
      const branch = given.branch ?? `work-${number}`
      const tip =
        branches.get(branch) ?? push(branch, commit(`Work on ${title}`, [head(given.from ?? "main")]))
      const pr = { number, title, branch, body: given.body ?? null, head: tip }
      pullRequestEvent("opened", pr, {})
      return pr
    },
    /** Tells of the head that a pull request has now. */
    update: (pr: PullRequest): void => pullRequestEvent("synchronize", pr, {}),
    close: (pr: PullRequest): void => pullRequestEvent("closed", pr, { state: "closed" }),
    squash: (pr: PullRequest, into = "main"): Commit =>
      merged(pr, push(into, commit(`${pr.title} (#${pr.number})`, [head(into)])), into),
    merge: (pr: PullRequest, into = "main", listed = 2048): Commit => {
      const message = `Merge pull request #${pr.number} from acme/${pr.branch}`
      return merged(pr, push(into, commit(message, [head(into), pr.head]), { listed }), into)
    },
    /** Its commits anew on top of the branch. */
    rebase: (pr: PullRequest, into = "main"): Commit => {
      const own = [...ancestors(pr.head)].filter((one) => !ancestors(head(into)).has(one)).toReversed()
      let tip = head(into)
      for (const one of own) tip = { ...one, ...commit(one.message, [tip], one.author) }
      return merged(pr, push(into, tip), into)
    },
    /** A deployment by GitHub's own events; times in minutes. */
    deploy: (
      id: number,
      sha: string | Commit,
      {
        environment = "production",
        state = "success",
        at,
        ref = "main",
      }: { environment?: string; state?: string; at?: number; ref?: string } = {},
    ): void => {
      now += 1
      const when = minute(at ?? now)
      github("deployment_status", {
        action: "created",
        deployment: {
          id,
          sha: typeof sha === "string" ? sha : sha.sha,
          ref,
          environment,
          created_at: when,
          updated_at: when,
        },
        deployment_status: { id: id * 10, state, environment, created_at: when, updated_at: when },
      })
    },
    /** A deployment in our own form. */
    tell: (fields: { id: string; status?: string } & Record<string, unknown>): void => {
      now += 1
      const payload = {
        provider: "fly",
        environment: "production",
        status: "success",
        occurredAt: minute(now),
        ...fields,
      }
      deliveries.push({ platform: "deployment", headers: {}, payload })
    },
    /** What Linear tells of an issue. */
    issue: (identifier: string, title: string, state: string): void => {
      now += 1
      const team = { id: "team-1", key: identifier.split("-")[0] }
      const data = {
        id: `uuid-${identifier}`,
        identifier,
        title,
        team,
        state: { name: state },
        updatedAt: minute(now),
      }
      const payload = { type: "Issue", action: "update", data, createdAt: minute(now) }
      deliveries.push({ platform: "linear", headers: { "linear-event": "Issue" }, payload })
    },
  }
}

/** A commit and all that it stands on, nearest first. */
function ancestors(commit: Commit): Set<Commit> {
  const found = new Set([commit])
  for (const one of found) for (const parent of one.parents) found.add(parent)
  return found
}

/** Connections that take several queries at once, as those of workers do; closed after the test file. */
export function testWriter(database: Database): pg.Pool {
  const writer = createPool(database.url, { role: "signalbox_worker", pipeline: true, max: 2 })
  afterAll(() => writer.end())
  return writer
}

const derive = createDerive(platforms, createCorrelation({ platforms }).correlate)
let tenants = 0

/** Takes deliveries in, in a tenant of their own, a second after the other by our clock. */
export async function takeIn(
  writer: pg.Pool,
  deliveries: readonly Delivery[],
  tenant = `tenant${++tenants}`,
): Promise<string> {
  const events = deliveries.map(({ platform, headers, payload }, index) => {
    const raw = Buffer.from(JSON.stringify(payload))
    const receivedAt = new Date(Date.UTC(2026, 10, 22) + index * 1000)
    const contentType = "application/json"
    const message = { headers, contentType, payload: parsePayload(raw, contentType), receivedAt }
    const identity = platformByName(platform)?.identify(message, raw)
    if (identity === undefined) throw new Error(`no platform ${platform}`)
    return newEvent(payload, {
      tenant,
      platform,
      name: identity.name,
      type: identity.type,
      headers,
      raw,
      receivedAt,
    })
  })
  const blank = { actor: null, entity: null, title: null, url: null, occurredAt: null, backfilled: false }
  const derived = events.map((event) => derive({ ...event, ...blank }, 1))
  await transaction(writer, async (db) => {
    await insertEvents(db, events)
    await writeDerived(db, derived)
    await writeLinks(db, derived)
    await appendToLog(
      db,
      derived.map(({ logRow }) => logRow),
      [],
    )
    await settleLinks(
      db,
      events.map(({ id }) => id),
    )
  })
  return tenant
}

/** The status of an entity, as a reader of the tenant finds it. */
export function statusOf(database: Database, tenant: string, entity: string, asOf: Date | null = null) {
  return readAs(database, tenant, (db) => entityStatus(db, tenant, entity, asOf))
}

import { createHash } from "node:crypto"
import { octokitExamples } from "../octokit-examples.ts"

/** A JSON object as a world keeps it. */
export type Thing = Record<string, unknown>

/** What one kind of happening leaves in a world: its event, and the record behind it. */
export interface Happening {
  event: string
  payload: Thing
}

/** Lists of a repository's records, by the last part of their address. */
export interface Records {
  pulls: Thing[]
  issues: Thing[]
  turns: Thing[]
  comments: Thing[]
  reviewComments: Thing[]
  reviews: Map<number, Thing[]>
  activity: Thing[]
  commits: Map<string, Thing>
  releases: Thing[]
  deployments: Thing[]
  statuses: Map<string, Thing[]>
}

export function noRecords(): Records {
  return {
    pulls: [],
    issues: [],
    turns: [],
    comments: [],
    reviewComments: [],
    reviews: new Map(),
    activity: [],
    commits: new Map(),
    releases: [],
    deployments: [],
    statuses: new Map(),
  }
}

export interface MakerOptions {
  repository: Thing
  records: Records
  nextId(): number
}

export type Maker = (at: Date) => Happening

/**
 * Makers of happenings in one repository, shaped as `@octokit/webhooks-examples` has them, with ids,
 * numbers and hashes of their own: each changes the records and gives the event that GitHub would send.
 */
export function makersOf({ repository, records, nextId }: MakerOptions): Record<string, Maker> {
  const home = `https://github.com/${String(repository["full_name"])}`
  const api = `https://api.github.com/repos/${String(repository["full_name"])}`
  let number = 0
  let head = sha(`${home} root`)

  const wrap = (event: string, sender: unknown, fields: Thing): Happening => ({
    event,
    payload: structuredClone({ ...fields, repository, sender }),
  })

  function openPull(at: Date): Happening {
    const own = ++number
    const stamp = text(at)
    const pull = {
      ...example("pull_request", "opened", "pull_request"),
      id: nextId(),
      number: own,
      url: `${api}/pulls/${own}`,
      html_url: `${home}/pull/${own}`,
      issue_url: `${api}/issues/${own}`,
      title: `Change ${own}`,
      state: "open",
      user: person("author"),
      created_at: stamp,
      updated_at: stamp,
      closed_at: null,
      merged_at: null,
      merged: false,
      merged_by: null,
      head: { ref: `change-${own}`, sha: sha(`${home} pull ${own}`), repo: repository },
      base: { ref: "main", sha: head, repo: repository },
    }
    records.pulls.push(pull)
    return wrap("pull_request", pull.user, { action: "opened", number: own, pull_request: pull })
  }

  function closePull(at: Date, pull: Thing, merged: boolean): Happening {
    const stamp = text(at)
    const closer = person("closer")
    const merge = merged ? { merged_at: stamp, merged: true, merged_by: closer } : {}
    Object.assign(pull, { state: "closed", closed_at: stamp, updated_at: stamp, closed_by: closer, ...merge })
    turn(at, "closed", pull, closer)
    return wrap("pull_request", closer, { action: "closed", number: pull["number"], pull_request: pull })
  }

  function reopenPull(at: Date, pull: Thing): Happening {
    Object.assign(pull, { state: "open", closed_at: null, updated_at: text(at) })
    turn(at, "reopened", pull, person("opener"))
    const fields = { action: "reopened", number: pull["number"], pull_request: pull }
    return wrap("pull_request", person("opener"), fields)
  }

  function openIssue(at: Date): Happening {
    const own = ++number
    const stamp = text(at)
    const issue = {
      ...example("issues", "opened", "issue"),
      id: nextId(),
      number: own,
      url: `${api}/issues/${own}`,
      repository_url: api,
      html_url: `${home}/issues/${own}`,
      title: `Problem ${own}`,
      state: "open",
      user: person("author"),
      created_at: stamp,
      updated_at: stamp,
      closed_at: null,
    }
    records.issues.push(issue)
    return wrap("issues", issue.user, { action: "opened", issue })
  }

  function closeIssue(at: Date, issue: Thing): Happening {
    const stamp = text(at)
    const closer = person("closer")
    Object.assign(issue, { state: "closed", closed_at: stamp, updated_at: stamp, closed_by: closer })
    turn(at, "closed", issue, closer)
    return wrap("issues", closer, { action: "closed", issue })
  }

  function reopenIssue(at: Date, issue: Thing): Happening {
    Object.assign(issue, { state: "open", closed_at: null, updated_at: text(at), closed_by: null })
    turn(at, "reopened", issue, person("opener"))
    return wrap("issues", person("opener"), { action: "reopened", issue })
  }

  function turn(at: Date, event: string, subject: Thing, actor: Thing): void {
    records.turns.push({ id: nextId(), event, actor, created_at: text(at), subject })
  }

  function comment(at: Date, on: Thing): Happening {
    const id = nextId()
    const stamp = text(at)
    const made = {
      ...example("issue_comment", "created", "comment"),
      id,
      html_url: `${home}/issues/${String(on["number"])}#issuecomment-${id}`,
      issue_url: `${api}/issues/${String(on["number"])}`,
      body: `Remark ${id}`,
      user: person("commenter"),
      created_at: stamp,
      updated_at: stamp,
    }
    on["updated_at"] = stamp
    records.comments.push(made)
    return wrap("issue_comment", made.user, { action: "created", issue: asIssue(on), comment: made })
  }

  function review(at: Date, pull: Thing): Happening {
    const id = nextId()
    const made = {
      ...example("pull_request_review", "submitted", "review"),
      id,
      html_url: `${String(pull["html_url"])}#pullrequestreview-${id}`,
      user: person("reviewer"),
      state: "APPROVED",
      submitted_at: text(at),
    }
    pull["updated_at"] = text(at)
    push(records.reviews, Number(pull["number"]), made)
    const fields = { action: "submitted", review: { ...made, state: "approved" }, pull_request: pull }
    return wrap("pull_request_review", made.user, fields)
  }

  function reviewComment(at: Date, pull: Thing): Happening {
    const id = nextId()
    const stamp = text(at)
    const made = {
      ...example("pull_request_review_comment", "created", "comment"),
      id,
      html_url: `${String(pull["html_url"])}#discussion_r${id}`,
      pull_request_url: pull["url"],
      user: person("reviewer"),
      created_at: stamp,
      updated_at: stamp,
    }
    pull["updated_at"] = stamp
    records.reviewComments.push(made)
    const fields = { action: "created", comment: made, pull_request: pull }
    return wrap("pull_request_review_comment", made.user, fields)
  }

  function pushCommits(at: Date): Happening {
    const before = head
    head = sha(`${home} push ${nextId()}`)
    const who = { name: "author", email: "author@example.test" }
    const commit = {
      id: head,
      tree_id: sha(`${head} tree`),
      distinct: true,
      message: `Commit ${head.slice(0, 7)}`,
      timestamp: text(at),
      url: `${home}/commit/${head}`,
      author: { ...who, username: "author" },
      committer: { ...who, username: "author" },
    }
    records.commits.set(head, {
      sha: head,
      html_url: commit.url,
      commit: {
        author: { ...who, date: text(at) },
        committer: { ...who, date: text(at) },
        message: commit.message,
        tree: { sha: commit.tree_id },
      },
      author: person("author"),
      committer: person("author"),
      parent: before,
    })
    const ref = "refs/heads/main"
    records.activity.push({
      id: nextId(),
      before,
      after: head,
      ref,
      timestamp: text(at),
      activity_type: "push",
      actor: person("author"),
    })
    repository["pushed_at"] = text(at)
    return {
      event: "push",
      payload: structuredClone({
        ref,
        before,
        after: head,
        created: false,
        deleted: false,
        forced: false,
        base_ref: null,
        compare: `${home}/compare/${before.slice(0, 12)}...${head.slice(0, 12)}`,
        commits: [commit],
        head_commit: commit,
        repository: { ...repository, pushed_at: Math.floor(at.getTime() / 1000) + 1 },
        pusher: who,
        sender: person("author"),
      }),
    }
  }

  function release(at: Date): Happening {
    const id = nextId()
    const made = {
      ...example("release", "published", "release"),
      id,
      html_url: `${home}/releases/tag/v${id}`,
      tag_name: `v${id}`,
      name: `Release ${id}`,
      draft: false,
      author: person("author"),
      created_at: text(new Date(at.getTime() - 86_400_000)),
      published_at: text(at),
    }
    records.releases.push(made)
    return wrap("release", made.author, { action: "published", release: made })
  }

  function deploy(at: Date): Happening {
    const id = nextId()
    const stamp = text(at)
    const made = {
      ...example("deployment", "created", "deployment"),
      id,
      sha: head,
      ref: "main",
      environment: "production",
      creator: person("deployer"),
      created_at: stamp,
      updated_at: stamp,
    }
    records.deployments.push(made)
    return wrap("deployment", made.creator, { action: "created", deployment: made })
  }

  function deploymentStatus(at: Date, deployment: Thing): Happening {
    const made = {
      ...example("deployment_status", "created", "deployment_status"),
      id: nextId(),
      state: "success",
      creator: person("deployer"),
      created_at: text(at),
      updated_at: text(at),
    }
    deployment["updated_at"] = text(at)
    push(records.statuses, String(deployment["id"]), made)
    return wrap("deployment_status", made.creator, { action: "created", deployment_status: made, deployment })
  }

  function star(at: Date): Happening {
    return wrap("star", person(`fan-${nextId()}`), { action: "created", starred_at: text(at) })
  }

  function check(at: Date): Happening {
    const made = {
      ...example("check_run", "completed", "check_run"),
      id: nextId(),
      head_sha: head,
      completed_at: text(at),
    }
    return wrap("check_run", person("builder"), { action: "completed", check_run: made })
  }

  return {
    openPull,
    openIssue,
    mergePull: (at) =>
      orElse(
        some(records.pulls, isOpen),
        (pull) => closePull(at, pull, true),
        () => openPull(at),
      ),
    closePull: (at) =>
      orElse(
        some(records.pulls, isOpen),
        (pull) => closePull(at, pull, false),
        () => openPull(at),
      ),
    reopenPull: (at) =>
      orElse(
        some(records.pulls, isClosed),
        (pull) => reopenPull(at, pull),
        () => openPull(at),
      ),
    closeIssue: (at) =>
      orElse(
        some(records.issues, isOpen),
        (issue) => closeIssue(at, issue),
        () => openIssue(at),
      ),
    reopenIssue: (at) =>
      orElse(
        some(records.issues, isClosed),
        (issue) => reopenIssue(at, issue),
        () => openIssue(at),
      ),
    commentIssue: (at) =>
      orElse(
        records.issues.at(-1),
        (issue) => comment(at, issue),
        () => openIssue(at),
      ),
    commentPull: (at) =>
      orElse(
        records.pulls.at(-1),
        (pull) => comment(at, pull),
        () => openPull(at),
      ),
    review: (at) =>
      orElse(
        records.pulls.at(-1),
        (pull) => review(at, pull),
        () => openPull(at),
      ),
    reviewComment: (at) =>
      orElse(
        records.pulls.at(-1),
        (pull) => reviewComment(at, pull),
        () => openPull(at),
      ),
    push: pushCommits,
    release,
    deploy,
    deploymentStatus: (at) =>
      orElse(
        records.deployments.at(-1),
        (made) => deploymentStatus(at, made),
        () => deploy(at),
      ),
    star,
    check,
  }
}

const some = (list: Thing[], pleases: (thing: Thing) => boolean): Thing | undefined => list.findLast(pleases)
const isOpen = (thing: Thing): boolean => thing["state"] === "open"
const isClosed = (thing: Thing): boolean => thing["state"] === "closed" && thing["merged"] !== true

/** A pull request as the issues' side of the API shows it. */
export function asIssue(thing: Thing): Thing {
  if (!("merged" in thing)) return thing
  const { number, html_url, user, state, title, created_at, updated_at, closed_at, closed_by } = thing
  return {
    id: Number(thing["id"]) + 500_000_000,
    number,
    html_url,
    user,
    state,
    title,
    created_at,
    updated_at,
    closed_at,
    closed_by: closed_by ?? null,
    pull_request: { url: thing["url"], merged_at: thing["merged_at"] },
  }
}

/** GitHub writes times to the second. */
export function text(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, "Z")
}

function orElse<T>(found: Thing | undefined, then: (thing: Thing) => T, otherwise: () => T): T {
  return found === undefined ? otherwise() : then(found)
}

function push<K>(lists: Map<K, Thing[]>, key: K, made: Thing): void {
  lists.set(key, [...(lists.get(key) ?? []), made])
}

function person(login: string): Thing {
  const id = createHash("sha256").update(login).digest().readUInt32BE()
  return { login, id, type: "User", site_admin: false, html_url: `https://github.com/${login}` }
}

function sha(seed: string): string {
  return createHash("sha1").update(seed).digest("hex")
}

const examples = octokitExamples()

function example(event: string, action: string, field: string): Thing {
  const found = examples.find(({ event: name, payload }) => name === event && payload["action"] === action)
  return structuredClone(found?.payload[field] ?? {}) as Thing
}

import { createHash } from "node:crypto"
import { asIssue, text, type Thing } from "./github-things.ts"
import {
  sentHeaders,
  type Attempt,
  type GithubWorld,
  type WorldHook,
  type WorldRepository,
} from "./github-state.ts"

interface Reply {
  status: number
  body: unknown
  headers?: Record<string, string>
}

const hour = 3_600_000

interface Window {
  used: number
  resetsAt: number
}

const windows = new WeakMap<GithubWorld, Window>()
const counters = new WeakMap<GithubWorld, number>()

/** One answer of the API, within its limits; `later` is told of what goes on after it. */
export async function answerApi(
  world: GithubWorld,
  request: Request,
  later: (work: Promise<void>) => void,
): Promise<Response> {
  const url = new URL(request.url)
  const { clock, limit = 5_000, badGatewayEvery = 0, secondaryEvery = 0 } = world.options
  const now = clock().getTime()
  const window = windowOf(world, now)
  const count = (counters.get(world) ?? 0) + 1
  counters.set(world, count)
  world.calls.push(`${request.method} ${url.pathname}${url.search}`)
  world.onCall()

  if (request.headers.get("authorization") !== `Bearer ${world.token}`) {
    return respond({ status: 401, body: { message: "Bad credentials" } }, {})
  }
  if (window.used >= limit) {
    world.violations.push(`${request.method} ${url.pathname} past the limit`)
    window.used++
    return respond({ status: 403, body: { message: "API rate limit exceeded" } }, limits(limit, window))
  }
  if (badGatewayEvery > 0 && count % badGatewayEvery === 0) {
    return new Response("<html>Bad Gateway</html>", { status: 502, headers: { "content-type": "text/html" } })
  }
  if (secondaryEvery > 0 && count % secondaryEvery === 0) {
    blocked.set(world, now + secondaryMs)
    window.used++
    const headers = { ...limits(limit, window), "retry-after": String(secondaryMs / 1_000) }
    return respond({ status: 403, body: { message: "You have exceeded a secondary rate limit" } }, headers)
  }
  const until = blocked.get(world) ?? 0
  if (now > until - secondaryMs + underWayMs && now < until) {
    world.violations.push(`${request.method} ${url.pathname} within a secondary limit`)
  }
  const reply = await route(world, request, url, later)
  const etag = `W/"${createHash("sha256").update(print(reply.body)).digest("hex")}"`
  const isUnchanged = request.method === "GET" && request.headers.get("if-none-match") === etag
  if (!isUnchanged) spend(world, window)
  const headers = { ...limits(limit, window), ...reply.headers, ...(reply.status === 200 ? { etag } : {}) }
  if (isUnchanged) return new Response(null, { status: 304, headers })
  return respond(reply, headers)
}

const blocked = new WeakMap<GithubWorld, number>()
const secondaryMs = 20_000
/** What was sent before the limit was known may arrive so much later. */
const underWayMs = 1_000

const spent = new WeakMap<GithubWorld, number>()

/** Requests that counted towards the hourly limit, ever. */
export function spentBy(world: GithubWorld): number {
  return spent.get(world) ?? 0
}

function spend(world: GithubWorld, window: Window): void {
  window.used++
  spent.set(world, spentBy(world) + 1)
}

function windowOf(world: GithubWorld, now: number): Window {
  const found = windows.get(world)
  if (found !== undefined && now < found.resetsAt) return found
  const fresh = { used: 0, resetsAt: Math.ceil((now + hour) / 1_000) * 1_000 }
  windows.set(world, fresh)
  return fresh
}

function limits(limit: number, { used, resetsAt }: Window): Record<string, string> {
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(Math.max(0, limit - used)),
    "x-ratelimit-reset": String(resetsAt / 1_000),
    "x-ratelimit-resource": "core",
  }
}

function respond({ status, body }: Reply, headers: Record<string, string>): Response {
  return new Response(status === 204 ? null : print(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  })
}

// Ids of deliveries are wider than numbers.
function print(body: unknown): string {
  return JSON.stringify(body, (_key, value: unknown) =>
    typeof value === "bigint" ? JSON.rawJSON(String(value)) : value,
  )
}

const notFound: Reply = {
  status: 404,
  body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" },
}
const hookScopes = { "x-accepted-oauth-scopes": "admin:repo_hook, write:repo_hook", "x-oauth-scopes": "" }

async function route(
  world: GithubWorld,
  request: Request,
  url: URL,
  later: (work: Promise<void>) => void,
): Promise<Reply> {
  const parts = url.pathname.split("/").slice(1).map(decodeURIComponent)
  if (parts[0] === "repositories") {
    const byId = [...world.repositories.values()].find(
      ({ repository }) => String(repository["id"]) === parts[1],
    )
    return byId === undefined ? notFound : ok(byId.repository)
  }
  if (parts[0] === "organizations") return ok({ id: 4242, login: world.org })
  if (parts[0] === "orgs" && parts[2] === "repos") return ofOrganization(world, url)
  if (parts[0] === "orgs" && parts[2] === "hooks") {
    const all = [...world.repositories.values()]
    return hooksRoute({ world, request, url, later }, world.orgHooks, parts.slice(3), all)
  }
  if (parts[0] !== "repos") return notFound
  const found = world.repositories.get(`${parts[1]}/${parts[2]}`)
  if (found === undefined) return notFound
  const rest = parts.slice(3)
  if (rest.length === 0) return ok(found.repository)
  if (rest[0] === "hooks") {
    const { scopes } = world.options
    if (scopes !== undefined && !scopes.includes("admin:repo_hook"))
      return { ...notFound, headers: hookScopes }
    return hooksRoute({ world, request, url, later }, found.hooks, rest.slice(1), [found])
  }
  return recordsRoute(found, rest, url)
}

function ofOrganization(world: GithubWorld, url: URL): Reply {
  const field = url.searchParams.get("sort") === "pushed" ? "pushed_at" : "updated_at"
  const all = [...world.repositories.values()].map(({ repository }) => repository)
  return page(url, newest(all, field))
}

interface HooksContext {
  world: GithubWorld
  request: Request
  url: URL
  later: (work: Promise<void>) => void
}

async function hooksRoute(
  { world, request, url, later }: HooksContext,
  hooks: WorldHook[],
  [id, what, delivery, attempts]: string[],
  repositories: WorldRepository[],
): Promise<Reply> {
  if (id === undefined) {
    if (request.method === "GET") return page(url, hooks.map(shown))
    return createHook(world, hooks, (await request.json()) as Thing)
  }
  const hook = hooks.find((candidate) => String(candidate.id) === id)
  if (hook === undefined) return notFound
  if (what === undefined) {
    if (request.method === "PATCH") Object.assign(hook, changed(hook, (await request.json()) as Thing))
    return ok(shown(hook))
  }
  if (what !== "deliveries") return notFound
  const ids = new Set(repositories.map(({ repository }) => Number(repository["id"])))
  const log = world.attempts.filter(({ repositoryId }) => ids.has(repositoryId))
  if (delivery === undefined) return deliveryPage(url, log)
  const attempt = log.find((candidate) => String(candidate.id) === delivery)
  const sent = world.deliveries.get(attempt?.guid ?? "")
  if (attempt === undefined || sent === undefined) return notFound
  if (attempts === "attempts" && request.method === "POST") {
    later(world.send(sent, true))
    return { status: 202, body: {} }
  }
  const headers = { Accept: "*/*", ...sentHeaders(sent, hook), "X-Hub-Signature-256": "sha256=0" }
  return ok({
    ...logged(attempt),
    request: { headers, payload: sent.payload },
    response: { headers: {}, payload: "" },
  })
}

// GitHub shows no secret, only that there is one.
function shown(hook: WorldHook): Thing {
  const { secret, ...config } = hook.config
  return { ...hook, config: secret === undefined ? config : { ...config, secret: "********" } }
}

function changed(hook: WorldHook, patch: Thing): Thing {
  return { ...patch, config: { ...hook.config, ...(patch["config"] as Thing | undefined) } }
}

function createHook(world: GithubWorld, hooks: WorldHook[], body: Thing): Reply {
  if (hooks.length >= 20) {
    return {
      status: 422,
      body: { message: "Validation Failed", errors: [{ message: "The hook limit is 20" }] },
    }
  }
  const hook = {
    name: "web",
    active: true,
    events: ["push"],
    ...body,
    id: world.nextId(),
  } as unknown as WorldHook
  if (hooks.some(({ config }) => config.url === hook.config.url)) {
    const errors = [{ resource: "Hook", code: "custom", message: "Hook already exists on this repository" }]
    return { status: 422, body: { message: "Validation Failed", errors } }
  }
  hooks.push(hook)
  return { status: 201, body: shown(hook) }
}

function deliveryPage(url: URL, log: readonly Attempt[]): Reply {
  const size = Number(url.searchParams.get("per_page") ?? 30)
  const cursor = url.searchParams.get("cursor")
  const sorted = log.toSorted((a, b) => b.at.getTime() - a.at.getTime() || Number(b.id - a.id))
  const from = cursor === null ? 0 : sorted.findIndex(({ id }) => `v1_${id}` === cursor)
  if (from < 0) return { status: 422, body: { message: "Invalid cursor" } }
  const entries = sorted.slice(from, from + size)
  const next = sorted[from + size]
  const link = next === undefined ? {} : { link: linkTo(url, "cursor", `v1_${next.id}`) }
  return { status: 200, body: entries.map(logged), headers: link }
}

function logged({
  id,
  guid,
  at,
  redelivery,
  status,
  statusCode,
  event,
  action,
  repositoryId,
}: Attempt): Thing {
  return {
    id,
    guid,
    delivered_at: text(at),
    redelivery,
    duration: 0.2,
    status,
    status_code: statusCode,
    event,
    action,
    installation_id: null,
    repository_id: repositoryId,
  }
}

function recordsRoute({ records, repository }: WorldRepository, rest: string[], url: URL): Reply {
  const [what, which, part] = rest
  switch (what) {
    case "activity":
      return page(url, newest(records.activity, "timestamp"))
    case "releases":
      return page(url, newest(records.releases, "created_at"))
    case "compare":
      return compare(records.commits, which ?? "")
    case "commits":
      return orNotFound(records.commits.get(which ?? ""))
    case "deployments":
      if (which === undefined) return page(url, newest(records.deployments, "created_at"))
      return page(url, newest(records.statuses.get(which) ?? [], "created_at"))
    case "pulls":
      if (which === undefined) return page(url, newest(records.pulls, "updated_at").map(listedPull))
      if (which === "comments") return page(url, newest(records.reviewComments, "updated_at"))
      if (part === "reviews") return page(url, records.reviews.get(Number(which)) ?? [])
      return orNotFound(numbered(records.pulls, which))
    case "issues": {
      const all = [...records.issues, ...records.pulls.map(asIssue)]
      if (which === undefined) return page(url, newest(all, "updated_at").map(listedIssue))
      if (which === "comments") return page(url, newest(records.comments, "updated_at"))
      if (which === "events") return page(url, newest(records.turns, "created_at").map(turn))
      return orNotFound(numbered(all, which))
    }
  }
  void repository
  return notFound
}

// The list leaves out what takes GitHub a look at the commits.
function listedPull({ merged, merged_by, closed_by, ...pull }: Thing): Thing {
  void merged
  void merged_by
  void closed_by
  return pull
}

function listedIssue({ closed_by, ...issue }: Thing): Thing {
  void closed_by
  return issue
}

function turn({ subject, ...event }: Thing): Thing {
  return { ...event, issue: listedIssue(asIssue(subject as Thing)) }
}

function compare(commits: Map<string, Thing>, range: string): Reply {
  const [base, head] = range.split("...")
  const found: Thing[] = []
  for (
    let at = commits.get(head ?? "");
    at !== undefined && at["sha"] !== base;
    at = commits.get(String(at["parent"]))
  ) {
    found.unshift(at)
  }
  return found.length === 0 ? notFound : ok({ commits: found, files: [] })
}

function ok(body: unknown): Reply {
  return { status: 200, body }
}

function orNotFound(body: Thing | undefined): Reply {
  return body === undefined ? notFound : ok(body)
}

function numbered(things: readonly Thing[], number: string): Thing | undefined {
  return things.find((thing) => String(thing["number"]) === number)
}

function newest(things: readonly Thing[], field: string): Thing[] {
  return things.toSorted(
    (a, b) =>
      Date.parse(String(b[field])) - Date.parse(String(a[field])) || Number(b["id"]) - Number(a["id"]),
  )
}

function page(url: URL, all: readonly Thing[]): Reply {
  const size = Number(url.searchParams.get("per_page") ?? 30)
  const number = Number(url.searchParams.get("page") ?? 1)
  const body = all.slice((number - 1) * size, number * size)
  const isLast = number * size >= all.length
  return { status: 200, body, headers: isLast ? {} : { link: linkTo(url, "page", String(number + 1)) } }
}

function linkTo(url: URL, name: string, value: string): string {
  const next = new URL(url)
  next.searchParams.set(name, value)
  return `<${next.href}>; rel="next"`
}

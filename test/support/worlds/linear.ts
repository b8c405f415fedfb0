import { HttpResponse } from "msw"
import { graphql } from "msw/graphql"
import { createWorkspace, type LinearWorkspace, type Thing } from "./linear-things.ts"
import { complexityOf, selectionOf, type Selected } from "./selection.ts"

export interface LinearWorldOptions {
  clock: () => Date
  seed?: number
  /** Where its API answers. */
  apiUrl?: string
  /** What a window allows, and how long it is. */
  limits?: { requests: number; complexity: number; windowMs: number }
  /** One in so many requests fails, each time in another way; 0 for none. */
  failEvery?: number
  /** What the key may do. */
  isAdmin?: boolean
}

export interface LinearHook {
  id: string
  url: string
  enabled: boolean
  secret: string
  label: string
  resourceTypes: string[]
  allPublicTeams: boolean
  team: Thing | null
}

/** Linear as far as we speak to it: a workspace behind an API with limits. */
export interface LinearWorld {
  apiUrl: string
  apiKey: string
  workspace: LinearWorkspace
  hooks: LinearHook[]
  /** The operation of each request. */
  calls: string[]
  /** Requests made although the headers had told that nothing was left, or that cost too much. */
  violations: string[]
  /** Told of each request before it is answered. */
  onCall: (count: number) => void
  onQuery: (query: string) => void
  handlers: ReturnType<ReturnType<typeof graphql.link>["operation"]>[]
}

type Json = Record<string, unknown>

const connections: Record<string, string> = {
  issueLabels: "IssueLabel",
  projects: "Project",
  projectUpdates: "ProjectUpdate",
  issues: "Issue",
  comments: "Comment",
  attachments: "Attachment",
}

/** Makes a world; nothing is in its workspace yet. */
export function createLinearWorld(options: LinearWorldOptions): LinearWorld {
  const { clock, seed = 1, apiUrl = "https://linear.test/graphql", failEvery = 0, isAdmin = true } = options
  const limits = options.limits ?? { requests: 5_000, complexity: 3_000_000, windowMs: 3_600_000 }
  const workspace = createWorkspace(seed)
  let window = { endsAt: 0, requests: 0, complexity: 0 }
  const world: LinearWorld = {
    apiUrl,
    apiKey: "lin_api_worldkey",
    workspace,
    hooks: [],
    calls: [],
    violations: [],
    onCall: () => {},
    onQuery: () => {},
    handlers: [
      graphql.link(apiUrl).operation(({ query, operationName, variables, request }) => {
        world.calls.push(operationName)
        world.onCall(world.calls.length)
        world.onQuery(query)
        return answer(query, operationName, variables, request)
      }),
    ],
  }
  return world

  function answer(query: string, name: string, variables: Json, request: Request): Response {
    const now = clock().getTime()
    if (now >= window.endsAt) window = { endsAt: now + limits.windowMs, requests: 0, complexity: 0 }
    const selection = selectionOf(query)
    const points = complexityOf(selection)
    if (points > 10_000) world.violations.push(`${name} costs ${points} points`)
    if (request.headers.get("authorization") !== world.apiKey) {
      return refuse(401, "authentication error", "AUTHENTICATION_ERROR")
    }
    if (window.requests >= limits.requests || window.complexity >= limits.complexity) {
      world.violations.push(`${name} although nothing is left`)
      return refuse(400, "ratelimited", "RATELIMITED", rateHeaders())
    }
    window.requests++
    window.complexity += points
    const failure = failEvery > 0 && world.calls.length % failEvery === 0 ? world.calls.length / failEvery : 0
    if (failure > 0) return fail(failure)
    try {
      return HttpResponse.json({ data: read(selection, variables) }, { headers: rateHeaders() })
    } catch (error) {
      if (error instanceof Refusal) return refuse(error.status, error.type, error.code)
      throw error
    }
  }

  function rateHeaders(): Record<string, string> {
    const kinds = ["requests", "complexity"] as const
    return Object.fromEntries(
      kinds.flatMap((kind) => [
        [`x-ratelimit-${kind}-limit`, String(limits[kind])],
        [`x-ratelimit-${kind}-remaining`, String(Math.max(0, Math.floor(limits[kind] - window[kind])))],
        [`x-ratelimit-${kind}-reset`, String(window.endsAt)],
      ]),
    )
  }

  function read(selection: Selected[], variables: Json): Json {
    const data: Json = {}
    for (const field of selection) data[field.as] = root(field, variables)
    return data
  }

  function root(field: Selected, variables: Json): unknown {
    switch (field.name) {
      case "organization":
        return shaped({ id: workspace.organizationId }, field.children)
      case "teams": {
        const key = String(variables["key"]).toLowerCase()
        const found = workspace.teams.filter((team) => team.key.toLowerCase() === key)
        return shapedConnection(found, field)
      }
      case "webhooks":
        if (!isAdmin) throw new Refusal(403, "forbidden", "FORBIDDEN")
        return shapedConnection(world.hooks, field)
      case "webhookCreate":
      case "webhookUpdate":
        return hookWritten(variables)
      default:
        return listing(field, variables)
    }
  }

  function hookWritten({ id, input }: Json): Json {
    if (!isAdmin) throw new Refusal(403, "forbidden", "FORBIDDEN")
    const { teamId, ...given } = input as Partial<LinearHook> & { teamId?: string }
    const team = workspace.teams.find((one) => one.id === teamId) as Thing | undefined
    const made = { id: `hook-${world.hooks.length + 1}`, url: "", enabled: true, secret: "", label: "" }
    const standing = world.hooks.find((one) => one.id === id)
    const hook = standing ?? { ...made, resourceTypes: [], allPublicTeams: false, team: team ?? null }
    Object.assign(hook, given)
    if (standing === undefined) world.hooks.push(hook)
    return { __typename: "WebhookPayload", lastSyncId: 1, success: true, webhook: { id: hook.id } }
  }

  function listing(field: Selected, variables: Json): unknown {
    const type = connections[field.name]
    if (type === undefined) throw new Refusal(400, "graphql error", "GRAPHQL_VALIDATION_FAILED")
    const by = field.args.includes("orderBy: updatedAt") ? "updatedAt" : "createdAt"
    const key = (thing: Thing): string => `${thing[by]} ${thing.id}`
    const things = [...(workspace.things.get(type)?.values() ?? [])]
      .filter((thing) => field.args.includes("includeArchived: true") || thing["archivedAt"] === null)
      .filter((thing) => matches(thing, variables["filter"] as Json))
      .toSorted((a, b) => (key(a) < key(b) ? 1 : -1)) // newest first
    const after = workspace.things.get(type)?.get(String(variables["after"]))
    // A cursor is a thing, and stands wherever that thing stands by now.
    return shapedConnection(
      after === undefined ? things : things.filter((thing) => key(thing) < key(after)),
      field,
    )
  }
}

class Refusal extends Error {
  status: number
  type: string
  code: string
  constructor(status: number, type: string, code: string) {
    super(type)
    this.status = status
    this.type = type
    this.code = code
  }
}

function refuse(status: number, type: string, code: string, headers: Record<string, string> = {}): Response {
  const errors = [
    { message: type, extensions: { type, code, userPresentableMessage: `Linear says ${type}` } },
  ]
  return HttpResponse.json({ errors }, { status, headers })
}

function fail(count: number): Response {
  switch (count % 4) {
    case 0:
      return new HttpResponse('{"data":{"organ', { headers: { "content-type": "application/json" } })
    case 1:
      return new HttpResponse("<html>bad gateway</html>", {
        status: 502,
        headers: { "content-type": "text/html" },
      })
    case 2:
      return refuse(400, "ratelimited", "RATELIMITED", { "retry-after": "7" })
    default:
      return refuse(500, "internal error", "INTERNAL_SERVER_ERROR")
  }
}

function shapedConnection(things: readonly object[], field: Selected): Json {
  const first = Number(/first: *(\d+)/.exec(field.args)?.[1] ?? 50)
  const nodes = field.children.find(({ name }) => name === "nodes")?.children ?? []
  const page = things.slice(0, first)
  const endCursor = (page.at(-1) as Thing | undefined)?.id ?? null
  return {
    nodes: page.map((thing) => shaped(thing, nodes)),
    pageInfo: { hasNextPage: things.length > first, endCursor },
  }
}

/** No more than was selected; what no thing of its kind has is a fault of the query. */
function shaped(thing: object, selection: readonly Selected[]): Json {
  const answer: Json = {}
  for (const field of selection) {
    const value = (thing as Json)[field.name]
    if (value === undefined) throw new Refusal(400, "graphql error", `no field ${field.name}`)
    if (field.children.length === 0 || value === null) answer[field.as] = value
    else if (Array.isArray(value)) answer[field.as] = shapedConnection(value, field)
    else answer[field.as] = shaped(value, field.children)
  }
  return answer
}

/** Linear's filters, as far as they are used. */
function matches(value: unknown, filter: unknown): boolean {
  return Object.entries(filter as Json).every(([name, wanted]) => {
    switch (name) {
      case "or":
        return (wanted as Json[]).some((one) => matches(value, one))
      case "some":
        return (value as unknown[]).some((one) => matches(one, wanted))
      case "null":
        return (value === null) === wanted
      case "eq":
        return value === wanted
      case "gte":
        return typeof value === "string" && value >= String(wanted)
      case "lte":
        return typeof value === "string" && value <= String(wanted)
      default: {
        if (typeof value !== "object" || value === null) return false
        const member = (value as Json)[name]
        if (member === undefined) throw new Refusal(400, "graphql error", `no filter ${name}`)
        return matches(member, wanted)
      }
    }
  })
}

import type { ProblemStatus, RouteDescription } from "../../core/route-description.ts"
import { createConverter, type JsonSchema, type SchemaConverter } from "./convert.ts"
import { parameterWords } from "./parameter-words.ts"
import { problem } from "./problem.ts"
import { sentByTheHub } from "./sent-by-the-hub.ts"

export interface Parameter {
  name: string
  in: "path" | "query" | "header"
  description: string
  required: boolean
  schema: JsonSchema
}

export interface Content {
  description: string
  content?: Record<string, { schema?: JsonSchema }>
}

export interface Operation {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  /** Empty for everybody; else the one way in, with the scopes that the key must have. */
  security: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: NonNullable<Content["content"]> }
  responses: Record<string, Content | { $ref: string }>
}

/** The members of an OpenAPI 3.1 document that ours has. */
export interface ApiDocument {
  openapi: "3.1.0"
  info: { title: string; version: string; summary: string; description: string; license: object }
  servers: { url: string; description: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  /** What the hub itself sends. */
  webhooks: Record<string, Record<string, Operation>>
  components: {
    securitySchemes: Record<string, object>
    schemas: Record<string, JsonSchema>
    responses: Record<string, Content>
  }
}

const about = `signalbox takes in the webhooks of GitHub, Linear, Slack, deployment tools and senders of your own, ties together what belongs together, and hands the result on.

Requests to \`/api/v1\` have an API key as a bearer token: \`Authorization: Bearer <key>\`. Each route names the scope that its key needs; \`admin\` includes every other but \`metrics:read\`. A key sees its own tenant and nothing else. With \`SIGNALBOX_ADMIN_KEY\`, the header \`X-Signalbox-Tenant\` says which tenant is meant (\`default\` without it).

Names are in camelCase and times in RFC 3339. A list answers a page with \`nextCursor\`: give it back as \`cursor\` for the next one; null is the end. Other parameters and members than those named here are a 400 and not ignored, unless a schema leaves room for them. Every error is a problem detail (RFC 9457, \`application/problem+json\`). Answers may have further members in later versions.`

/** The OpenAPI document of these routes. `version` is that of the hub. */
export function describeApi(routes: readonly RouteDescription[], version: string): ApiDocument {
  const schemas = createConverter()
  const paths: ApiDocument["paths"] = {}
  for (const route of routes) {
    const operations = (paths[route.path] ??= {})
    if (operations[route.method] !== undefined) {
      throw new Error(`${route.method} ${route.path} is described twice`)
    }
    operations[route.method] = operationOf(route, schemas)
  }
  const problemSchema = schemas.convert(problem)
  const responses = Object.fromEntries(
    Object.entries(problemWords).map(([status, description]) => [
      `Problem${status}`,
      { description, content: { "application/problem+json": { schema: problemSchema } } },
    ]),
  )
  const webhooks = sentByTheHub(schemas)
  return {
    openapi: "3.1.0",
    info: {
      title: "signalbox",
      version,
      summary: "Self-hosted integration hub",
      description: about,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "this hub" }],
    tags: [...new Set(routes.map(({ group }) => group))].map((name) => ({ name })),
    paths,
    webhooks,
    components: {
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "An API key, made by `POST /api/v1/keys` or `signalbox keys create`.",
        },
      },
      schemas: { ...schemas.named() },
      responses,
    },
  }
}

const problemWords: Readonly<Record<ProblemStatus, string>> = {
  400: "The request is malformed; `detail` names each fault.",
  401: "There is no key or signature, or not one that is in force.",
  403: "The key lacks the scope, or the tenant is not its own.",
  404: "There is no such thing in sight of this key.",
  409: "It does not go with how things stand; `detail` says why.",
  410: "What was asked for is past retention, and gone.",
  413: "The body is larger than may be.",
  415: "The body is not of a media type, or not in a coding, that is taken here.",
  429: "Too many requests; `Retry-After` says when to come back.",
  503: "Not now: the hub is starting or ending, or its database is away. `Retry-After` says when to come back.",
}

function operationOf(route: RouteDescription, schemas: SchemaConverter): Operation {
  const { method, path, group, summary, details, scope, answers } = route
  const parameters = parametersOf(route, schemas)
  const isTaken = scope === null ? "" : `Needs a key with the scope \`${scope}\`.`
  const description = [details, isTaken].filter((text) => text !== undefined && text !== "").join("\n\n")
  return {
    operationId: idOf(method, path),
    tags: [group],
    summary,
    ...(description === "" ? {} : { description }),
    security: scope === null ? [] : [{ apiKey: [scope] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBodyOf(route, route.body, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, contentOf(answer, schemas)]),
      ),
      ...Object.fromEntries(
        problemsOf(route).map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
      ),
    },
  }
}

/** `get /api/v1/events/{id}/raw` → `getEventsByIdRaw`. */
function idOf(method: string, path: string): string {
  const words = path
    .replace(/^\/metrics$/, "/prometheus") // beside /api/v1/metrics
    .replace(/^\/api\/v1/, "")
    .replace(/\{(\w+)\}/g, "by-$1")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "")
  return [method, ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join("")
}

function problemsOf({ scope, query, body, problems = [], answers }: RouteDescription): number[] {
  const own: number[] = [...problems]
  if (scope !== null) own.push(401, 403, 429, 503)
  if (query !== undefined || body !== undefined) own.push(400)
  if (body !== undefined) own.push(413)
  return [...new Set(own)].filter((status) => !(status in answers)).toSorted((one, other) => one - other)
}

function parametersOf(route: RouteDescription, schemas: SchemaConverter): Parameter[] {
  const { path, query, headers = {}, words = {} } = route
  const wordsOf = (name: string): string => words[name] ?? parameterWords[name] ?? ""
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]): Parameter => {
    return { name, in: "path", description: wordsOf(name), required: true, schema: { type: "string" } }
  })
  const asked: JsonSchema = query === undefined ? {} : schemas.convert(query)
  const inQuery = Object.entries(asked.properties ?? {}).map(([name, schema]): Parameter => {
    const required = asked.required?.includes(name) ?? false
    return { name, in: "query", description: wordsOf(name), required, schema: objectOf(schema) }
  })
  const inHeader = Object.entries(headers).map(([name, description]): Parameter => {
    return { name, in: "header", description, required: false, schema: { type: "string" } }
  })
  return [...inPath, ...inQuery, ...inHeader]
}

function requestBodyOf(
  { words = {} }: RouteDescription,
  { schema, optional = false, mediaType = "application/json" }: NonNullable<RouteDescription["body"]>,
  schemas: SchemaConverter,
): NonNullable<Operation["requestBody"]> {
  if (schema === undefined) return { required: !optional, content: { [mediaType]: {} } }
  const converted = schemas.convert(schema)
  const properties = Object.entries(converted.properties ?? {}).map(([name, member]) => {
    const description = words[name]
    return [name, description === undefined ? member : { ...objectOf(member), description }]
  })
  const described =
    properties.length === 0 ? converted : { ...converted, properties: Object.fromEntries(properties) }
  return { required: !optional, content: { [mediaType]: { schema: described } } }
}

function contentOf(
  { words, schema, mediaType }: RouteDescription["answers"][number],
  schemas: SchemaConverter,
): Content {
  if (schema === undefined && mediaType === undefined) return { description: words }
  const content = schema === undefined ? {} : { schema: schemas.convert(schema) }
  return { description: words, content: { [mediaType ?? "application/json"]: content } }
}

/** `true` stands for whatever there may be. */
function objectOf(schema: JsonSchema | boolean): JsonSchema {
  return typeof schema === "object" ? schema : {}
}

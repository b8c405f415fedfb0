import { Validator } from "@seriousme/openapi-schema-validator"
import { Hono, type Env } from "hono"
import { inspectRoutes } from "hono/dev"
import { expect, it } from "vitest"
import { createApp, type AppEnv, type AppOptions } from "../../src/api/app.ts"
import { describeApi, type Operation } from "../../src/api/openapi/document.ts"
import { silentLog } from "../../src/core/log.ts"
import { documented } from "../../src/describe-routes.ts"
import { createWebhookRoutes } from "../../src/ingest/routes.ts"
import { streamRoutes } from "../../src/streaming/routes.ts"

const document = describeApi(documented.routes, "1.2.3")

const described = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]): [string, Operation] => [
    `${method.toUpperCase()} ${path}`,
    operation,
  ]),
)

/** Stands for what routes are made with: here none of them is ever asked. */
const nothing: never = new Proxy(() => nothing, { get: () => nothing }) as never

/** The app of a process with every role. */
function wholeApp(): Hono<AppEnv> {
  const metrics = new Hono()
  metrics.get("/metrics", (c) => c.text(""))
  const options: AppOptions = {
    log: silentLog,
    database: nothing,
    authenticate: nothing,
    clock: () => new Date(),
    corsOrigins: ["*"],
    unready: () => [],
    documented,
    components: new Map(),
    metrics: { prometheus: { routes: () => metrics, count: nothing }, figures: nothing },
    nats: nothing,
    webhooks: createWebhookRoutes({
      ...(nothing as object as Parameters<typeof createWebhookRoutes>[0]),
      platforms: [],
    }),
    submit: nothing,
    streams: streamRoutes<AppEnv & Env>(nothing),
    groups: nothing,
    api: nothing,
  }
  return createApp(options)
}

/** `/entities/:key{.+}/links` and `/entities/*` as OpenAPI writes them. */
function template(path: string): string {
  return path
    .replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")
    .replace("/entities/*", "/entities/{key}")
    .replace(/(?<=.)\/$/, "")
}

it("every route that the app serves is described, and nothing else is", () => {
  const served = inspectRoutes(wholeApp())
    .filter(({ isMiddleware }) => !isMiddleware)
    .map(({ method, path }) => `${method} ${template(path)}`)
  expect([...new Set(served)].toSorted()).toEqual(described.map(([route]) => route).toSorted())
})

it("the document keeps the rules of OpenAPI 3.1", async () => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)))
  expect(errors).toBeUndefined()
  expect([valid, validator.version]).toEqual([true, "3.1"])
})

it("every reference leads somewhere, and every operation has a name of its own", () => {
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)]
  const missing = references.filter(([, kind = "", name = ""]) => {
    const found: Record<string, object> = { ...document.components[kind as "schemas" | "responses"] }
    return !(name in found)
  })
  expect(missing).toEqual([])
  expect(text.match(/"\$ref":"(?!#\/components\/)/g)).toBeNull()
  expect(text).not.toContain("$defs")
  const names = described.map(([, { operationId }]) => operationId)
  expect(new Set(names).size).toBe(names.length)
})

it("every parameter and every member of a body is said in words, and no words are left over", () => {
  const silent: string[] = []
  const given = new Set<string>()
  const used = new Set<string>()
  for (const { method, path, words = {} } of documented.routes) {
    const { parameters = [], requestBody } = document.paths[path]![method]!
    const members = Object.entries(requestBody?.content["application/json"]?.schema?.properties ?? {})
    const said: [string, string | undefined][] = [
      ...parameters.map(({ name, description }): [string, string] => [name, description]),
      ...members.map(([name, member]): [string, string | undefined] => [
        name,
        typeof member === "object" ? member.description : undefined,
      ]),
    ]
    silent.push(...said.filter(([, text]) => !text).map(([name]) => `${method} ${path}: ${name}`))
    for (const [name, text] of said) used.add(`${name}: ${text}`)
    for (const [name, text] of Object.entries(words)) given.add(`${name}: ${text}`)
  }
  expect([silent, [...given].filter((word) => !used.has(word))]).toEqual([[], []])
})

it("the bounds that requests are held to are in the document", () => {
  const limit = document.paths["/api/v1/events"]!["get"]!.parameters!.find(({ name }) => name === "limit")
  expect(limit).toMatchObject({
    in: "query",
    required: false,
    schema: { type: "integer", minimum: 1, maximum: 500, default: 50 },
  })
  const key = document.paths["/api/v1/keys"]!["post"]!.requestBody!.content["application/json"]!.schema
  expect(key).toMatchObject({ required: ["name", "scopes"], additionalProperties: false })
})

import { createHash } from "node:crypto"
import { Ajv2020 } from "ajv/dist/2020.js"
import * as formats from "ajv-formats"
import { expect, it } from "vitest"
import { documentationRoutes } from "../../src/api/documentation.ts"
import type { JsonSchema } from "../../src/api/openapi/convert.ts"
import type { ApiDocument, Operation } from "../../src/api/openapi/document.ts"
import { scopes } from "../../src/auth/scopes.ts"
import { documented } from "../../src/describe-routes.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { octokitExamples } from "../support/octokit-examples.ts"
import { testKeyText } from "../support/sources.ts"

const hub = await startTestHub({ env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1) } })
const document: ApiDocument = (await hub.json("/openapi.json", { key: "" })).body

/** Has every object hold what it is described with and nothing else, where the document leaves it open. */
function closed(key: string, value: unknown): unknown {
  const isObject =
    typeof value === "object" && value !== null && "properties" in value && key !== "properties"
  return !isObject || "additionalProperties" in value ? value : { ...value, additionalProperties: false }
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default.default(ajv)
ajv.addSchema(JSON.parse(JSON.stringify({ $id: "document", components: document.components }, closed)))

/** What is wrong with an answer by the schema that the document has for it. */
function faults(schema: JsonSchema, body: unknown): unknown[] {
  const text = JSON.stringify(schema, closed).replaceAll('"#/components/', '"document#/components/')
  const validate = ajv.compile(JSON.parse(text))
  return validate(body) ? [] : (validate.errors ?? [])
}

async function keyWith(held: readonly string[]): Promise<string> {
  const { body } = await hub.json("/api/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: "reader", scopes: held }),
  })
  return body.key
}

it("the document is given to anybody, and to tools of other origins", async () => {
  const response = await hub.request("/openapi.json", {
    key: "",
    headers: { origin: "https://tools.example" },
  })
  expect(response.status).toBe(200)
  expect(response.headers.get("access-control-allow-origin")).toBe("*")
  expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "signalbox" } })
})

it("every route wants the scope that the document says, or no key", async () => {
  const wrong: string[] = []
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { security }] of Object.entries(operations)) {
      const url = path.replaceAll(/\{\w+\}/g, "none").replace("/streams/none/", "/streams/all_events/")
      const ask = async (key: string) => hub.request(url, { key, method: method.toUpperCase() })
      const scope = security[0]?.["apiKey"]?.[0]
      if (url.startsWith("/webhooks/")) continue // they want the platform's signature
      // Without NATS there is no such route, and no key that it could ask for.
      if (path === "/api/v1/metrics/nats") continue
      const open = await ask("")
      await open.body?.cancel()
      if (scope === undefined) {
        if (open.status !== 200) wrong.push(`${method} ${path}: ${open.status} without a key`)
        continue
      }
      const others = scopes.filter((one) => one !== scope && (one !== "admin" || scope === "metrics:read"))
      const refused = await ask(await keyWith(others))
      const { detail } = (await refused.json()) as { detail?: string }
      if (open.status !== 401 || refused.status !== 403 || detail !== `this key lacks the scope ${scope}`) {
        wrong.push(`${method} ${path}: ${open.status}, ${refused.status} ${detail}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

it("answers are what the document says", async () => {
  const { event, body: sent } = octokitExamples().find(
    (example) => example.event === "pull_request" && example.payload["action"] === "opened",
  )!
  const headers = { "x-github-event": event, "x-github-delivery": "d-1", "content-type": "application/json" }
  await sendWebhook(hub.url, "github", { headers, body: sent.toString() })
  const wrong: unknown[] = []
  function check(
    path: string,
    operation: Operation,
    { status, body }: { status: number; body: unknown },
  ): void {
    const answer = operation.responses[status]
    const schema = answer && "content" in answer && answer.content?.["application/json"]?.schema
    const found = schema ? faults(schema, body) : [status, body]
    if (found.length > 0) wrong.push([path, ...found])
  }
  async function post(path: string, body: object, template = path) {
    const answer = await hub.json(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
    check(path, document.paths[template]!["post"]!, answer)
    return answer
  }
  await post("/api/v1/subscriptions", { name: "hook", url: "https://hooks.example.com/" })
  await post("/api/v1/consumer-groups", { name: "readers" })
  await post("/api/v1/streams", { name: "mine", filter: { platforms: ["github"] } })
  await post("/api/v1/sources", { platform: "github", name: "another" })
  await post("/api/v1/replays", { to: "hook" })
  await post("/api/v1/replays", { to: "hook", dryRun: true })
  await post("/api/v1/keys", { name: "reader", scopes: ["events:read"] })
  await post("/api/v1/events", { type: "billing.invoice.paid", entity: "billing:invoice:42" })
  const deployment = { id: "1", provider: "ci", status: "succeeded", repo: { fullName: "acme/api" } }
  await post("/api/v1/deployments", deployment)
  const { member } = (
    await post("/api/v1/consumer-groups/readers/members", {}, "/api/v1/consumer-groups/{name}/members")
  ).body
  const { events } = (
    await until(
      async () => hub.json("/api/v1/events?types=github.**"),
      ({ body }) => body.events.length > 0 && body.events[0].position !== null,
    )
  ).body
  const [{ id, entity }] = events
  const key = encodeURIComponent(entity)
  const other = events[0].references[0]?.entity ?? "github:commit:0000000"
  const asked: [template: string, path: string][] = [
    ["/healthz", "/healthz"],
    ["/readyz", "/readyz"],
    ["/api/v1/events", "/api/v1/events"],
    ["/api/v1/events/history", "/api/v1/events/history?after=earliest"],
    ["/api/v1/events/{id}", `/api/v1/events/${id}`],
    ["/api/v1/entities", `/api/v1/entities?name=${key}`],
    ["/api/v1/entities/{key}", `/api/v1/entities/${key}`],
    ["/api/v1/entities/{key}/timeline", `/api/v1/entities/${key}/timeline`],
    ["/api/v1/entities/{key}/links", `/api/v1/entities/${key}/links`],
    ["/api/v1/entities/{key}/status", `/api/v1/entities/${key}/status`],
    ["/api/v1/links/explain", `/api/v1/links/explain?from=${key}&to=${encodeURIComponent(other)}`],
    ["/api/v1/links/rules", "/api/v1/links/rules"],
    ["/api/v1/streams", "/api/v1/streams"],
    ["/api/v1/streams/{name}", "/api/v1/streams/mine"],
    ["/api/v1/subscriptions", "/api/v1/subscriptions"],
    ["/api/v1/subscriptions/{id}", "/api/v1/subscriptions/hook"],
    ["/api/v1/subscriptions/{id}/deliveries", "/api/v1/subscriptions/hook/deliveries"],
    ["/api/v1/consumer-groups", "/api/v1/consumer-groups"],
    ["/api/v1/consumer-groups/{name}", "/api/v1/consumer-groups/readers"],
    [
      "/api/v1/consumer-groups/{name}/members/{member}/events",
      `/api/v1/consumer-groups/readers/members/${member}/events?wait=0&gaps=tell`,
    ],
    ["/api/v1/consumers", "/api/v1/consumers"],
    ["/api/v1/connections", "/api/v1/connections"],
    ["/api/v1/connections/stats", "/api/v1/connections/stats"],
    ["/api/v1/sources", "/api/v1/sources"],
    ["/api/v1/sources/{platform}/{name}", "/api/v1/sources/github/another"],
    ["/api/v1/sources/{platform}/{name}/secrets", "/api/v1/sources/github/another/secrets"],
    ["/api/v1/sources/{platform}/{name}/receipts", "/api/v1/sources/github/default/receipts"],
    ["/api/v1/sources/{platform}/{name}/completeness", "/api/v1/sources/github/another/completeness"],
    ["/api/v1/completeness", "/api/v1/completeness"],
    ["/api/v1/replays", "/api/v1/replays"],
    ["/api/v1/dead-letters", "/api/v1/dead-letters"],
    ["/api/v1/keys", "/api/v1/keys"],
    ["/api/v1/metrics", "/api/v1/metrics"],
    ["/api/v1/metrics/delivery", "/api/v1/metrics/delivery"],
  ]
  for (const [template, path] of asked) check(path, document.paths[template]!["get"]!, await hub.json(path))
  expect(wrong).toEqual([])
})

it("errors are the problems that the document describes", async () => {
  const problem = document.components.schemas["Problem"]!
  for (const path of ["/api/v1/events/none", "/api/v1/events?limit=0", "/api/v1/nothing"]) {
    const response = await hub.request(path)
    expect(response.headers.get("content-type")).toBe("application/problem+json")
    expect(faults(problem, await response.json())).toEqual([])
  }
})

it("the page shows every route, asks for nothing from elsewhere and may run nothing", async () => {
  const response = await hub.request("/docs", { key: "" })
  const page = await response.text()
  expect(response.status).toBe(200)
  expect(response.headers.get("content-type")).toMatch(/^text\/html; charset=utf-8/i)
  expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/)
  const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? ""
  const hash = createHash("sha256").update(style).digest("base64")
  expect(response.headers.get("content-security-policy")).toContain(`'sha256-${hash}'`)
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\sstyle=|\son\w+=/i)
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  const listed = [...Object.values(document.paths), ...Object.values(document.webhooks)]
  const operations = listed.flatMap((one) => Object.values(one))
  expect(ids).toEqual(expect.arrayContaining(operations.map(({ operationId }) => operationId)))
  expect(new Set(ids).size).toBe(ids.length)
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target)
  expect(targets.filter((target) => !ids.includes(target))).toEqual([])
})

it("whatever a description holds, the page shows it as text", async () => {
  const hostile = '<script>alert("1")</script>`<b>`'
  const [route] = documented.routes
  const app = documentationRoutes({
    routes: [{ ...route!, group: hostile, summary: hostile, details: hostile, words: { platform: hostile } }],
    version: hostile,
  })
  const page = await (await app.request("/docs")).text()
  expect(page).not.toMatch(/<script|<b>/)
  expect(page).toContain("&lt;script&gt;")
})

import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib"
import * as fc from "fast-check"
import type { Sample, Target } from "./corpus.ts"
import { bodies } from "./mutations.ts"

/** A request as it is to be made; what depends on the time is signed when it is sent. */
export interface Plan {
  target: Target | null
  method: string
  path: string
  headers: Readonly<Record<string, string | readonly string[]>>
  /** The body before any coding. */
  content: Buffer
  coding: Coding | null
  signing: Signing
}

/** `right`: as its sender does. `skewed`: at a wrong time. `forged`: with another secret. */
export type Signing = "right" | "over coded" | "skewed" | "forged" | "none" | "key"

export type Coding = "gzip" | "deflate" | "br" | "lie"

const headerText = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 60,
  })
  .map((text) => text.trim())
const eventNames = fc.constantFrom(
  "push",
  "ping",
  "issues",
  "pull_request",
  "__proto__",
  "*",
  "error",
  "Push",
  "",
  "a".repeat(80),
)
const contentTypes = fc.constantFrom(
  "application/json; charset=utf-8",
  "application/x-www-form-urlencoded",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
  "APPLICATION/JSON",
  "text/plain",
  "multipart/form-data; boundary=x",
  "",
  ";",
  "application/json, application/x-www-form-urlencoded",
)
const headerNames = fc.constantFrom(
  "x-github-event",
  "x-github-delivery",
  "x-hub-signature-256",
  "linear-delivery",
  "linear-signature",
  "linear-timestamp",
  "x-slack-signature",
  "x-slack-request-timestamp",
  "x-slack-retry-num",
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
  "x-vercel-signature",
  "x-webhook-signature",
  "heroku-webhook-hmac-sha256",
  "ce-id",
  "ce-type",
  "ce-source",
  "ce-specversion",
  "ce-time",
  "idempotency-key",
  "authorization",
  "cookie",
  "x-forwarded-for",
  "user-agent",
  "accept-encoding",
  "expect-ct",
  "__proto__",
  "constructor",
)

interface Change {
  set: Record<string, string | readonly string[]>
  drop: readonly string[]
}

/** Changes to headers: mostly none. */
const headerChanges: fc.Arbitrary<Change> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ set: {}, drop: [] }) },
  { weight: 3, arbitrary: eventNames.map((name) => ({ set: { "x-github-event": name }, drop: [] })) },
  { weight: 2, arbitrary: contentTypes.map((type) => ({ set: { "content-type": type }, drop: [] })) },
  {
    weight: 2,
    arbitrary: fc
      .dictionary(headerNames, headerText, { maxKeys: 4 })
      .map((set) => ({ set: { ...set }, drop: [] })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(headerNames, headerText, headerText)
      .map(([name, a, b]) => ({ set: { [name]: [a, b] }, drop: [] })),
  },
  {
    weight: 1,
    arbitrary: fc
      .subarray(["content-type", "x-github-event", "x-github-delivery", "linear-delivery"])
      .map((drop) => ({ set: {}, drop })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 20, max: 200 }).map((count) => ({ set: manyHeaders(count), drop: [] })),
  },
)

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-many-${index}`, "1"]))
}

const signing = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Signing>("right") },
  { weight: 1, arbitrary: fc.constant<Signing>("over coded") },
  { weight: 1, arbitrary: fc.constant<Signing>("skewed") },
  { weight: 2, arbitrary: fc.constant<Signing>("forged") },
  { weight: 3, arbitrary: fc.constant<Signing>("none") },
)

const coding = fc.oneof(
  { weight: 20, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constantFrom<Coding>("gzip", "deflate", "br") },
  { weight: 1, arbitrary: fc.constant<Coding>("lie") },
)

/** Paths and methods beside the right ones. */
const strayPaths = fc.oneof(
  fc.constantFrom(
    "/webhooks",
    "/webhooks/",
    "/webhooks/github/nowhere",
    "/webhooks/gitlab",
    "/webhooks/__proto__/constructor",
    "/webhooks/%00/%ff",
    "/webhooks/..%2f..%2fetc%2fpasswd",
    "//webhooks//github",
    "/api/v1/events/not-an-id",
    "/api/v1/events?filter={%22where%22:{%22payload.a%22:{%22$eq%22:1}}}&limit=1",
    "/api/v1/events?cursor=%00&limit=0",
    "/api/v1/entities/github:pull_request:a/b%231/timeline",
    "/api/v1/entities/%F0%28%8C%28/links",
    "/api/v1/streams/%2e%2e/sse",
    "/healthz",
    `/${"a/".repeat(3_000)}`,
  ),
  fc
    .string({ unit: fc.constantFrom(..."/?%&=#:@+.~azAZ09_-".split("")), maxLength: 80 })
    .map((text) => `/${text}`),
)
const strayMethods = fc.constantFrom("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "POST")

/** Requests to these targets. */
export function plans(targets: readonly Target[]): fc.Arbitrary<Plan> {
  const webhook = fc.constantFrom(...targets).chain((target) =>
    fc
      .tuple(samplesWithBodies(target), headerChanges, coding, signing, fc.uuid(), fc.nat(9))
      .map(([{ sample, content }, change, coded, signed, id, own]): Plan => {
        const headers = { ...sample.headers, ...(own > 0 ? keysOf(sample.headers, id) : {}), ...change.set }
        const kept = Object.entries(headers).filter(([name]) => !change.drop.includes(name))
        return {
          target,
          method: "POST",
          path: `/webhooks/${target.platform.name}/${target.source}`,
          headers: Object.fromEntries(kept),
          content,
          coding: coded,
          signing: signed,
        }
      }),
  )
  const submitted = targets.filter(
    ({ platform, sender }) => sender === undefined && ["custom", "deployment"].includes(platform.name),
  )
  const submission = fc.constantFrom(...submitted).chain((target) =>
    fc.tuple(samplesWithBodies(target), coding, fc.uuid()).map(([{ content }, coded, id]): Plan => ({
      target,
      method: "POST",
      path: target.platform.name === "custom" ? "/api/v1/events" : "/api/v1/deployments",
      headers: { "content-type": "application/json", "idempotency-key": id },
      content,
      coding: coded,
      signing: "key",
    })),
  )
  const stray = fc
    .tuple(strayPaths, strayMethods, fc.uint8Array({ maxLength: 40 }))
    .map(([path, method, body]): Plan => ({
      target: null,
      method,
      path,
      headers: {},
      content: ["GET", "HEAD"].includes(method) ? Buffer.alloc(0) : Buffer.from(body),
      coding: null,
      signing: "key",
    }))
  return fc.oneof(
    { weight: 92, arbitrary: webhook },
    { weight: 5, arbitrary: submission },
    { weight: 3, arbitrary: stray },
  )
}

const made = new WeakMap<Target, fc.Arbitrary<{ sample: Sample; content: Buffer }>>()

/** A sample and a body made of it. */
function samplesWithBodies(target: Target): fc.Arbitrary<{ sample: Sample; content: Buffer }> {
  const known = made.get(target)
  if (known !== undefined) return known
  const { samples } = target
  const each = samples.map((sample) => bodies(sample, samples).map((content) => ({ sample, content })))
  const any = fc.oneof(...each)
  made.set(target, any)
  return any
}

/** The headers in which senders name a delivery, with another name. */
function keysOf(headers: Readonly<Record<string, string>>, id: string): Record<string, string> {
  const names = ["x-github-delivery", "linear-delivery", "webhook-id", "ce-id"].filter(
    (name) => name in headers,
  )
  return Object.fromEntries(names.map((name) => [name, id]))
}

/** The bytes that travel, and the headers that go with them at this time. */
export function prepare(
  plan: Plan,
  now: Date,
): { headers: Record<string, string | readonly string[]>; sent: Buffer } {
  const { content, signing: signed, target } = plan
  const sent = encode(content, plan.coding)
  const headers: Record<string, string | readonly string[]> = {
    ...plan.headers,
    "content-length": String(sent.length),
  }
  if (plan.coding !== null) headers["content-encoding"] = plan.coding === "lie" ? "gzip" : plan.coding
  if (target === null || signed === "none" || signed === "key") return { headers, sent }
  const single = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? value : value.join(", "),
    ]),
  )
  const [right, wrong] = target.signer.secrets
  const at = signed === "skewed" ? new Date(now.getTime() - 3_600_000) : now
  const body = signed === "over coded" ? sent : content
  const signature = target.signer.sign({
    body,
    headers: single,
    secret: signed === "forged" ? wrong : right,
    now: at,
  })
  return { headers: { ...headers, ...signature }, sent }
}

const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } } // the best would take longer than all the rest

function encode(content: Buffer, coded: Coding | null): Buffer {
  if (coded === "gzip") return gzipSync(content)
  if (coded === "deflate") return deflateSync(content)
  if (coded === "br") return brotliCompressSync(content, quick)
  return content
}

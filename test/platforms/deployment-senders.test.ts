import * as fc from "fast-check"
import { describe, expect, expectTypeOf, test } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import type { Fields } from "../../src/core/fields.ts"
import type { Message } from "../../src/core/platform.ts"
import type { EventMaps } from "../../src/event-maps.ts"
import { deployment } from "../../src/platforms/deployment/index.ts"
import { jsonElements } from "../../src/platforms/deployment/json-elements.ts"
import type { DeploymentPayload } from "../../src/platforms/deployment/schema.ts"
import { readPurl } from "../../src/platforms/deployment/purl.ts"
import { repoOfUrl } from "../../src/platforms/deployment/repo-url.ts"
import { isEvent, loadFixtures, loadSigner, messageOf, signRequest } from "../support/fixtures.ts"
import { expectWithstands } from "./support/withstand.ts"

const names = deployment.senders ?? []
const now = new Date("2026-11-21T12:00:00Z")

function verify(sender: string, headers: Record<string, string>, body: Buffer, secret: string) {
  return deployment.verify({ sender, headers, body, receivedAt: now }, [{ id: "s0", value: secret }])
}

function messageFrom(
  sender: string,
  payload: unknown,
  headers = {},
  contentType = "application/json",
): Message {
  return { sender, headers, contentType, payload, receivedAt: now }
}

const one = (id: string, data = "x") =>
  `{"specversion":"1.0","id":"${id}","source":"/s","type":"t","data":"${data}"}`

const nested = (levels: number) =>
  `{"id":"1","status":"success","x":${"[".repeat(levels)}${"]".repeat(levels)}}`

const keyOf = (source: string, id: string) =>
  deployment.identify(
    messageFrom("cloudevents", { specversion: "1.0", source, id, type: "t" }),
    Buffer.from(""),
  ).key

const statusOf = (sender: string, payload: unknown, headers = {}) =>
  deployment.normalize(messageFrom(sender, payload, headers)).detail?.["status"] ?? null
const expectStates = (words: Record<string, string | null>, read: (word: string) => unknown) => {
  expect(Object.fromEntries(Object.keys(words).map((word) => [word, read(word)]))).toEqual(words)
}

const cdevent = (type: string, content = {}) => ({
  context: { type, id: "c" },
  subject: { id: "s", content },
})

describe("CloudEvents", () => {
  const batch = "application/cloudevents-batch+json"
  const split = (text: string, contentType = batch) =>
    deployment.split?.(messageFrom("cloudevents", JSON.parse(text), {}, contentType), Buffer.from(text))

  test("of a batch keep the bytes they came in", () => {
    const odd = String.raw`{ "id":"é\",[]{}\\", "n": 1e2, "n": [1, [2]] }`
    const parts = split(` [ ${one("1")} ,\n${odd},${one("2", "ü")}\t]\n`, `${batch}; charset=utf-8`)
    expect(parts?.map(({ body }) => body.toString())).toEqual([one("1"), odd, one("2", "ü")])
    expect(new Set(parts?.map(({ contentType }) => contentType))).toEqual(
      new Set(["application/cloudevents+json"]),
    )
  })

  test("come in batches of none as well, and of a thousand at most", () => {
    expect(split("[]")).toEqual([])
    expect(split(JSON.stringify(Array.from({ length: 1_000 }, () => 0)))).toHaveLength(1_000)
    const tooMany = () => split(JSON.stringify(Array.from({ length: 1_001 }, () => 0)))
    expect(tooMany).toThrow(expect.objectContaining({ status: 413 }))
  })

  test("that are no batch are one event, whatever their body", () => {
    expect(split("[1]", "application/json")).toBeNull()
    expect(split(one("1"), "application/cloudevents+json")).toBeNull()
    expect(split("{}", batch)).toBeNull()
    expect(deployment.split?.(messageFrom("vercel", [1], {}, batch), Buffer.from("[1]"))).toBeNull()
  })

  test("in binary mode have their attributes unquoted and percent-decoded, once", () => {
    const headers = { "ce-id": '"a\\"b%20c"', "ce-source": "/%C3%A9%2541", "ce-type": "x.%zz" }
    const { key, name } = deployment.identify(messageFrom("cloudevents", {}, headers), Buffer.from("{}"))
    expect(key).toBe(`cloudevents/${encodeURIComponent("/é%41")}/${encodeURIComponent('a"b c')}`)
    expect(name).toBe("cloudevents:x.%zz")
  })

  test("in binary mode may not claim to be another than the signed body says", () => {
    const context = { id: "c-1", source: "/ci", type: "dev.cdevents.service.deployed.0.2.0" }
    const body = { context, subject: { id: "api" } }
    const identify = (headers: Record<string, string>) =>
      deployment.identify(messageFrom("cloudevents", body, headers), Buffer.from(""))
    const told = { "ce-id": "c-1", "ce-type": context.type, "ce-source": "/ci" }
    expect(identify(told).name).toBe("cloudevents:dev.cdevents.service.deployed.0.2.0")
    for (const [header, value] of [
      ["ce-id", "c-2"],
      ["ce-type", "dev.cdevents.service.removed.0.2.0"],
    ] as const) {
      expect(() => identify({ ...told, [header]: value })).toThrow(expect.objectContaining({ status: 400 }))
    }
  })

  test("data in base64 are held to the bounds that hold for a body", () => {
    const deployed = { specversion: "1.0", id: "1", source: "/s", type: "deployed" }
    const stateIn = (text: string) =>
      statusOf("cloudevents", { ...deployed, data_base64: Buffer.from(text).toString("base64") })
    expect(stateIn(nested(1))).toBe("success")
    expect(stateIn(nested(600))).toBeNull()
    expect(stateIn("no JSON")).toBeNull()
  })

  test("of one id and two sources are two", () => {
    expect(new Set([keyOf("/a", "1"), keyOf("/b", "1"), keyOf("/a/1", ""), keyOf("/a", "1/")]).size).toBe(4)
  })

  test("any array in any layout is cut where its elements are", () => {
    const blank = fc.stringMatching(/^[ \t\r\n]{0,2}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.jsonValue({ maxDepth: 3 }), blank)), blank, (values, end) => {
        const texts = values.map(([value]) => JSON.stringify(value))
        const text = `${end}[${values.map(([, pad], index) => pad + texts[index] + pad).join(",")}${end}]${end}`
        expect(jsonElements(Buffer.from(text)).map(String)).toEqual(texts)
      }),
    )
  })
})

test.each([
  [
    "pkg:github/Acme/api@4f2a1c9b",
    { name: "api", repo: { host: "github.com", fullName: "Acme/api" }, sha: "4f2a1c9b" },
  ],
  [
    "pkg:github/acme/api@v1.2",
    { name: "api", repo: { host: "github.com", fullName: "acme/api" }, sha: null },
  ],
  [
    "pkg:gitlab/acme/group/api@4f2a1c9b?x=1#sub",
    { name: "api", repo: { host: "gitlab.com", fullName: "acme/group/api" }, sha: "4f2a1c9b" },
  ],
  ["pkg:oci/api@sha256%3A0b31b1c02ff4", { name: "api", repo: null, sha: null }],
  ["pkg:oci/api@4f2a1c9b", { name: "api", repo: null, sha: null }],
  [
    "pkg:npm/%40acme/web@1.0.0?vcs_url=git%2Bhttps://github.com/acme/web%404f2a1c9b",
    { name: "web", repo: { host: "github.com", fullName: "acme/web" }, sha: "4f2a1c9b" },
  ],
  [
    "pkg:npm/web?vcs_url=ssh://git@github.com/acme/web",
    { name: "web", repo: { host: "github.com", fullName: "acme/web" }, sha: null },
  ],
  ["api:1.2", null],
  ["pkg:oci/", null],
  ["pkg:oci/%zz", { name: "%zz", repo: null, sha: null }],
  [7, null],
])("the package %j is of this code", (purl, expected) => {
  expect(readPurl(purl)).toEqual(expected)
})

test.each([
  ["https://github.com/acme/deploys.git", "github.com", "acme/deploys"],
  ["https://user:token@gitlab.example:8443/acme/group/deploys/", "gitlab.example", "acme/group/deploys"],
  ["git@github.com:acme/deploys.git", "github.com", "acme/deploys"],
  ["ssh://git@github.com/acme/deploys", "github.com", "acme/deploys"],
])("the repository cloned from %s is known by its host and name", (address, host, fullName) => {
  expect(repoOfUrl(address)).toEqual({ host, fullName })
})

test.each(["", "api", "oci://", "/srv/git/api", "https://", 7, null])("%j names no repository", (address) => {
  expect(repoOfUrl(address)).toBeNull()
})

describe("states by the words of", () => {
  test("Vercel", () => {
    expectStates(
      {
        "deployment.created": "queued",
        "deployment.succeeded": "success",
        "deployment.ready": "success",
        "deployment.promoted": "success",
        "deployment.error": "failure",
        "deployment.canceled": "canceled",
        "deployment.rollback": "rolled_back",
        "deployment.cleanup": "inactive",
        "deployment.checkrun.start": null,
        "project.created": null,
        constructor: null,
      },
      (type) => statusOf("vercel", { id: "e", type, payload: { deployment: { id: "d" } } }),
    )
  })

  test("Netlify", () => {
    expectStates(
      {
        new: "queued",
        enqueued: "queued",
        pending_review: "queued",
        building: "in_progress",
        uploading: "in_progress",
        uploaded: "in_progress",
        preparing: "in_progress",
        processing: "in_progress",
        retrying: "in_progress",
        ready: "success",
        error: "failure",
        rejected: "canceled",
        unheard_of: null,
      },
      (state) => statusOf("netlify", { id: "d", state }),
    )
  })

  test("Render", () => {
    expectStates(
      { succeeded: "success", failed: "failure", canceled: "canceled", unheard_of: null },
      (status) => statusOf("render", { type: "deploy_ended", data: { id: "e", status } }),
    )
    expect(statusOf("render", { type: "deploy_started", data: { id: "e" } })).toBe("in_progress")
    expect(statusOf("render", { type: "build_ended", data: { id: "e", status: "succeeded" } })).toBeNull()
  })

  test("Heroku", () => {
    expectStates(
      { pending: "in_progress", succeeded: "success", failed: "failure", expired: "failure", odd: null },
      (status) =>
        statusOf("heroku", {
          resource: "release",
          action: "update",
          data: { id: "r", status, description: "Deploy 1a2b" },
        }),
    )
    expectStates(
      {
        "Deploy 1a2b3c4d": "success",
        "Deployed web (0123abcd)": null,
        "Promote acme v12 1a2b3c4d": "success",
        "Rollback to v12": "rolled_back",
        "Set A, B config vars": null,
        "Attach DATABASE": null,
      },
      (description) =>
        statusOf("heroku", {
          resource: "release",
          action: "create",
          data: { id: "r", status: "succeeded", description },
        }),
    )
  })

  test("Railway", () => {
    expectStates(
      {
        queued: "queued",
        waiting: "queued",
        initializing: "in_progress",
        building: "in_progress",
        deploying: "in_progress",
        deployed: "success",
        success: "success",
        failed: "failure",
        crashed: "failure",
        removed: "inactive",
        skipped: "canceled",
        sleeping: null,
      },
      (word) => statusOf("railway", { type: `Deployment.${word}`, resource: { deployment: { id: "d" } } }),
    )
  })

  test("Argo CD", () => {
    expectStates(
      {
        Running: "in_progress",
        Terminating: "in_progress",
        Progressing: "in_progress",
        Succeeded: "success",
        Healthy: "success",
        Failed: "failure",
        Error: "failure",
        Degraded: "failure",
      },
      (status) => statusOf("argocd", { id: "a", status }),
    )
  })

  test("CDEvents", () => {
    expectStates(
      {
        "service.deployed": "success",
        "service.upgraded": "success",
        "service.published": "success",
        "service.rolledback": "rolled_back",
        "service.removed": "inactive",
        "deployment.queued": "queued",
        "deployment.started": "in_progress",
        "deployment.finished": null,
        "environment.created": null,
        "pipelinerun.finished": null,
      },
      (what) => statusOf("cloudevents", cdevent(`dev.cdevents.${what}.0.2.0`)),
    )
    expectStates(
      { success: "success", failure: "failure", cancel: "canceled", error: "failure", odd: null },
      (outcome) =>
        statusOf("cloudevents", cdevent("dev.cdevents.deployment.finished.0.1.0-draft", { outcome })),
    )
  })
})

test("one deployment's id at two providers is two entities", () => {
  const entities = [
    ["vercel", { type: "deployment.created", payload: { deployment: { id: "1" } } }],
    ["netlify", { id: "1", state: "ready" }],
    ["railway", { type: "Deployment.failed", resource: { deployment: { id: "1" } } }],
    ["argocd", { id: "1", status: "Succeeded" }],
  ] as const
  const found = entities.map(([sender, body]) => deployment.normalize(messageFrom(sender, body)).entity)
  expect(found).toEqual([
    "deployment:vercel/1",
    "deployment:netlify/1",
    "deployment:railway/1",
    "deployment:argocd/1",
  ])
})

test("a source of a sender that this version does not know is refused, and what it stored still reads", () => {
  expect(verify("pigeon", {}, Buffer.from("{}"), "any-secret-at-all")).toMatchObject({ ok: false })
  const message = messageFrom("pigeon", { id: 1 })
  expect(() => deployment.identify(message, Buffer.from("{}"))).toThrow(SignalboxError)
  expect(deployment.normalize(message)).toMatchObject({ type: "deployment.unknown.received", detail: null })
})

describe.each(names)("%s", (name) => {
  test("takes any body and any header, or refuses it clearly", async () => {
    const signer = await loadSigner("deployment", name)
    const header = fc.dictionary(
      fc.constantFrom(
        "ce-id",
        "ce-type",
        "ce-source",
        "x-netlify-event",
        "webhook-id",
        signer?.signatureHeader ?? "x",
      ),
      fc.string({ unit: "binary", maxLength: 30 }),
    )
    const contentType = fc.constantFrom(
      "application/json",
      "application/cloudevents+json",
      "application/cloudevents-batch+json",
    )
    const body = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.dictionary(
        fc.constantFrom(
          "type",
          "id",
          "payload",
          "data",
          "state",
          "resource",
          "action",
          "context",
          "subject",
          "details",
        ),
        fc.jsonValue({ maxDepth: 3 }),
      ),
    )
    fc.assert(
      fc.property(body, header, contentType, (payload, headers, type) => {
        const bytes = Buffer.from(JSON.stringify(payload))
        const parsed: unknown = JSON.parse(bytes.toString())
        const message = messageFrom(name, parsed, headers, type)
        expect(verify(name, headers, bytes, signer?.secrets[0] ?? "").ok).toBe(false)
        const request = { headers, body: bytes, receivedAt: now, sender: name }
        expectWithstands(deployment, { request, contentType: type }, parsed)
        const parts = deployment.split?.(message, bytes)?.map((part) => JSON.parse(part.body.toString()))
        expect(parts ?? parsed).toEqual(parsed)
      }),
      { numRuns: 300 },
    )
  })

  test("is tried by a delivery that it believes, another at every time, which harms nothing", async () => {
    const [value = ""] = (await loadSigner("deployment", name))?.secrets ?? []
    const keys = [0, 1].map((ms) => {
      const at = new Date(now.getTime() + ms)
      const made = deployment.testDelivery?.({ id: "s0", value }, at, name)
      if (!made) throw new Error(`${name} makes no test`)
      expect(verify(name, { ...made.headers }, made.body, value)).toEqual({ ok: true, secretId: "s0" })
      const payload = JSON.parse(made.body.toString())
      const message = messageFrom(name, payload, made.headers, made.headers["content-type"])
      expect(deployment.normalize(message).title ?? payload.id).toMatch(/test/)
      const identity = deployment.identify(message, made.body)
      expect(identity.priority).toBe("normal")
      return identity.key
    })
    expect(new Set(keys).size).toBe(2)
  })

  test("signs as its fixtures are signed", async () => {
    const signer = await loadSigner("deployment", name)
    if (signer === null) throw new Error(`${name} has no signer`)
    for (const fixture of loadFixtures("deployment", name).filter(isEvent)) {
      const signed = signRequest(fixture.request, signer)
      const secrets = [{ id: "s0", value: signer.secrets[0] }]
      expect(deployment.verify(signed, secrets)).toEqual({ ok: true, secretId: "s0" })
      expect(deployment.verify({ ...signed, sender: "pigeon" }, secrets).ok).toBe(false)
      expect(messageOf(signed, fixture.contentType).sender).toBe(name)
    }
  })
})

test("handlers get the body of each tool as the tool's own", () => {
  expectTypeOf<EventMaps["deployment"]["vercel:deployment.created"]>().toEqualTypeOf<Fields>()
  expectTypeOf<EventMaps["deployment"]["vercel:*"]>().toEqualTypeOf<Fields>()
  expectTypeOf<EventMaps["deployment"]["production:success"]>().toEqualTypeOf<DeploymentPayload>()
})

import { expect, it, vi } from "vitest"
import { testKeyText } from "../support/sources.ts"
import { startTestHub } from "../support/hub.ts"
import { sendPing } from "./ping.ts"

const env = { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1) }
const hub = await startTestHub({ env })
let sent = 0

async function keyOf(tenant: string, scopes = ["admin"]): Promise<string> {
  const { body } = await hub.json("/api/v1/keys", post({ name: "k", scopes, tenant }))
  return body.key
}

function post(body: unknown, method = "POST") {
  return { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } }
}

const ping = (path: string, secret: string) => sendPing(hub.url + path, secret, `delivery-${++sent}`)

async function create(body: object, key?: string) {
  return hub.json("/api/v1/sources", { ...post({ platform: "github", ...body }), ...(key ? { key } : {}) })
}

function rotate(name: string) {
  return hub.json(`/api/v1/sources/github/${name}/rotate`, post({ overlapSeconds: 3600 }))
}

function enable(enabled: boolean) {
  return hub.json("/api/v1/sources/github/switched", post({ enabled }, "PATCH"))
}

it("a source that is made takes webhooks at once, with a secret that is shown once", async () => {
  const made = await create({ name: "made", settings: { repo: "acme/api" } })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({
    platform: "github",
    name: "made",
    tenant: "default",
    sender: null,
    settings: { repo: "acme/api" },
    enabled: true,
    off: null,
    path: "/webhooks/github/made",
    secret: expect.stringMatching(/^[0-9a-f]{64}$/),
    secrets: [{ purpose: "signing", expiresAt: null, matchedAt: null }],
    credential: null,
  })
  expect(await ping("/webhooks/github/made", made.body.secret)).toBe(202)
  expect(await ping("/webhooks/github/made", "another")).toBe(401)

  for (const path of ["", "/github/made", "/github/made/secrets", "/github/made/receipts"]) {
    const shown = await hub.request(`/api/v1/sources${path}`)
    expect(shown.status).toBe(200)
    expect(await shown.text()).not.toContain(made.body.secret)
  }
})

it("deployments get a secret of the form that Standard Webhooks wants", async () => {
  const made = await create({ platform: "deployment", name: "ci" })
  expect(made.body.secret).toMatch(/^whsec_/)
})

it("a secret that Slack makes is asked for, not made up", async () => {
  const made = await create({ platform: "slack", name: "acme" })
  expect(made.status).toBe(201)
  expect(made.body.secret).toBeUndefined()
  expect(made.body.advice).toMatch(/Signing Secret/)
  expect(made.body.off).toMatch(/no secret in force/)
  const rotated = await hub.json(
    "/api/v1/sources/slack/acme/rotate",
    post({ secret: "8f742231b10e8888abcd" }),
  )
  expect(rotated).toMatchObject({ status: 200, body: { off: null } })
  expect(rotated.body.secret).toBeUndefined()
  const unsaid = await hub.json("/api/v1/sources/slack/acme/rotate", post({}))
  expect(unsaid).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/Signing Secret/) } })
})

it("a rotated secret and the one before it are both good until the overlap is over", async () => {
  const { body } = await create({ name: "rotating", secret: "the first" })
  const rotated = await hub.json("/api/v1/sources/github/rotating/rotate", post({ overlapSeconds: 3600 }))
  expect(rotated.status).toBe(200)
  const { secret: second } = rotated.body
  expect(await ping("/webhooks/github/rotating", "the first")).toBe(202)
  expect(await ping("/webhooks/github/rotating", second)).toBe(202)
  const [newest, oldest] = rotated.body.secrets
  expect(newest.expiresAt).toBeNull()
  expect(oldest.id).toBe(body.secrets[0].id)
  expect(Date.parse(oldest.expiresAt) - Date.now()).toBeGreaterThan(3_500_000)

  const third = await hub.json("/api/v1/sources/github/rotating/rotate", post({ overlapSeconds: 0 }))
  expect(await ping("/webhooks/github/rotating", "the first")).toBe(401)
  expect(await ping("/webhooks/github/rotating", second)).toBe(401)
  expect(await ping("/webhooks/github/rotating", third.body.secret)).toBe(202)
  const { body: all } = await hub.json("/api/v1/sources/github/rotating/secrets")
  expect(all.secrets).toHaveLength(3)
  const unsaid = await hub.json("/api/v1/sources/github/rotating/rotate", { method: "POST" })
  expect(unsaid.body.secret).toMatch(/^[0-9a-f]{64}$/)
})

it("secrets in force are bounded", async () => {
  await create({ name: "busy" })
  for (let n = 1; n < 10; n++) expect((await rotate("busy")).status).toBe(200)
  expect(await rotate("busy")).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/overlap/) },
  })
})

it("a source is disabled and enabled while the hub runs", async () => {
  const { body } = await create({ name: "switched" })
  expect((await enable(false)).body.off).toMatch(/disabled/)
  expect(await ping("/webhooks/github/switched", body.secret)).toBe(404)
  expect((await enable(true)).body.off).toBeNull()
  expect(await ping("/webhooks/github/switched", body.secret)).toBe(202)
})

it("settings are put over those that are there, and a null takes one away", async () => {
  await create({ name: "set", settings: { repo: "acme/api", depth: 1 } })
  const { body } = await hub.json(
    "/api/v1/sources/github/set",
    post({ settings: { depth: null, org: "acme" } }, "PATCH"),
  )
  expect(body.settings).toEqual({ repo: "acme/api", org: "acme" })
})

it("a credential is kept and replaced, and never shown", async () => {
  const made = await create({ name: "caller", credential: "ghp_first" })
  expect(made.body.credential).toMatchObject({ purpose: "credential" })
  const changed = await hub.json("/api/v1/sources/github/caller", post({ credential: "ghp_second" }, "PATCH"))
  expect(changed.body.credential.id).not.toBe(made.body.credential.id)
  expect(JSON.stringify([made.body, changed.body])).not.toContain("ghp_")
  const gone = await hub.json("/api/v1/sources/github/caller", post({ credential: null }, "PATCH"))
  expect(gone.body.credential).toBeNull()
})

it("when a secret last verified a request is noted to the minute", async () => {
  const { body } = await create({ name: "noted" })
  await ping("/webhooks/github/noted", body.secret)
  await vi.waitFor(
    async () => {
      const { body: all } = await hub.json("/api/v1/sources/github/noted/secrets")
      expect(Math.abs(Date.parse(all.secrets[0].matchedAt) - Date.now())).toBeLessThan(70_000)
    },
    { timeout: 8_000, interval: 200 },
  )
})

it("a tenant sees and changes its own sources, and may not tell others' from none", async () => {
  const [acme, umbrella] = [await keyOf("acme"), await keyOf("umbrella")]
  expect((await create({ name: "theirs" }, acme)).body.tenant).toBe("acme")
  for (const [method, path, body] of [
    ["GET", "/api/v1/sources/github/theirs", undefined],
    ["GET", "/api/v1/sources/github/theirs/secrets", undefined],
    ["GET", "/api/v1/sources/github/theirs/receipts", undefined],
    ["PATCH", "/api/v1/sources/github/theirs", { enabled: false }],
    ["POST", "/api/v1/sources/github/theirs/rotate", {}],
  ] as const) {
    const init = body === undefined ? {} : post(body, method)
    expect((await hub.request(path, { ...init, key: acme })).status).toBe(200)
    const denied = await hub.json(path, { ...init, key: umbrella })
    const none = await hub.json(path.replace("theirs", "nobodys"), { ...init, key: umbrella })
    expect(denied.status).toBe(404)
    expect(none.body.detail).toBe(denied.body.detail.replace("theirs", "nobodys"))
  }
  const own = await hub.json("/api/v1/sources", { key: umbrella })
  expect(own.body.sources).toEqual([])
  const all = await hub.json("/api/v1/sources?limit=500")
  expect(all.body.sources.map((source: { tenant: string }) => source.tenant)).toContain("acme")
  expect((await create({ name: "x", tenant: "acme" }, umbrella)).status).toBe(403)
  expect((await create({ name: "theirs" }, umbrella)).status).toBe(409)
  const reader = await keyOf("acme", ["events:read"])
  expect((await hub.request("/api/v1/sources", { key: reader })).status).toBe(403)
})

it("pages of sources join without a hole or a repeat", async () => {
  const names: string[] = []
  let cursor: string | null = ""
  do {
    const page = await hub.json(`/api/v1/sources?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`)
    names.push(...page.body.sources.map((s: { platform: string; name: string }) => `${s.platform}/${s.name}`))
    cursor = page.body.nextCursor
  } while (cursor !== null)
  const { rows } = await hub.database.work.query(
    "select platform || '/' || name as path from sources order by platform, name",
  )
  expect(names).toEqual(rows.map(({ path }) => path))
})

it("receipts of a source are listed by outcome and time, page by page", async () => {
  const { body } = await create({ name: "received" })
  for (let n = 0; n < 5; n++) await ping("/webhooks/github/received", body.secret)
  const path = "/api/v1/sources/github/received/receipts"
  const first = await hub.json(`${path}?limit=2&outcome=accepted`)
  expect(first.body.receipts).toHaveLength(2)
  expect(first.body.receipts[0]).toMatchObject({
    outcome: "accepted",
    deliveryId: `delivery-${sent}`,
    eventId: expect.any(String),
    secretId: body.secrets[0].id,
    requests: 1,
  })
  const rest = await hub.json(`${path}?outcome=accepted&cursor=${first.body.nextCursor}`)
  expect(rest.body).toMatchObject({ receipts: { length: 3 }, nextCursor: null })
  const later = new Date(Date.now() + 60_000).toISOString()
  expect((await hub.json(`${path}?since=${later}`)).body.receipts).toEqual([])
  expect((await hub.json(`${path}?since=1969-12-31T00:00:00Z`)).body.receipts).toHaveLength(5)
  expect((await hub.json(`${path}?outcome=lost`)).status).toBe(400)
})

it.each([
  [{ platform: "gitlab", name: "x" }, /unknown platform "gitlab"/],
  [{ name: "a/b" }, /name/],
  [{ name: "x", sender: "nonsense" }, /sender/],
  [{ name: "x", secret: "" }, /secret/],
  [{ name: "x", credential: "two words" }, /credential/],
  [{ name: "x", colour: "red" }, /colour/],
  [{ platform: "deployment", name: "x", secret: "plain" }, /whsec_/],
])("%j is refused with what to mend", async (body, words) => {
  const refused = await create(body)
  expect(refused.status).toBe(400)
  expect(refused.body.detail).toMatch(words)
})

it("the default sources of the environment are listed with secrets that are not stored", async () => {
  const { body } = await hub.json("/api/v1/sources/github/default")
  expect(body).toMatchObject({
    off: null,
    path: "/webhooks/github",
    secrets: [{ id: "env:1", createdAt: null }],
  })
  const rotated = await hub.json("/api/v1/sources/github/default/rotate", post({}))
  expect(rotated.body.advice).toMatch(/env:1 .*GITHUB_WEBHOOK_SECRET/)
  expect(await ping("/webhooks/github", rotated.body.secret)).toBe(202)
})

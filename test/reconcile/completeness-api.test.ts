import { execFile } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, expect, test } from "vitest"
import { uuidv7 } from "../../src/core/uuid.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"

// A provider that lets nobody in, until it is told otherwise, and then has nothing to tell.
let status = 401
const asked: string[] = []
const provider = createServer((request, response) => {
  asked.push(request.url ?? "")
  response.writeHead(status, { "content-type": "application/json" }).end("[]")
})
provider.listen(0, "127.0.0.1")
await once(provider, "listening")
afterAll(() => {
  provider.close()
  provider.closeAllConnections()
})

const hub = await startTestHub({
  env: {
    GITHUB_TOKEN: "a-token",
    GITHUB_API_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
  },
  reconcile: { settleMs: 0, horizonMs: 60_000 },
})
const { work } = hub.database
await work.query("update sources set created_at = now() - interval '1 day'")
const settings = { hooks: [{ kind: "repository", owner: "acme", repo: "api", id: "1" }], records: false }
await hub.json("/api/v1/sources/github/default", { method: "PATCH", body: JSON.stringify({ settings }) })

async function keyWith(scopes: string[], tenant = "default"): Promise<string> {
  const { body } = await hub.json("/api/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: scopes.join("+"), scopes, tenant }),
  })
  return body.key
}

async function sourceId(platform: string, name: string): Promise<string> {
  const { rows } = await work.query<{ id: string }>(
    "select id from sources where platform = $1 and name = $2",
    [platform, name],
  )
  return rows[0]!.id
}

async function addGaps(source: string, tenant: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await work.query(
      `insert into source_gaps (id, source_id, tenant, kind, key, reason, started_at, state)
       values ($1, $2, $3, 'outage', $4, 'hub_down', $5, $6)`,
      [
        uuidv7(),
        source,
        tenant,
        `gap ${n}`,
        new Date(Date.UTC(2026, 0, 1 + (n >> 1))),
        n % 3 ? "repaired" : "open",
      ],
    )
  }
}

test("a source that cannot be asked says why, and is not swept however much it is wanted", async () => {
  const { body } = await hub.json("/api/v1/completeness")
  const of = (platform: string) =>
    body.sources.find((found: { platform: string }) => found.platform === platform)
  expect(body.nextCursor).toBeNull()
  expect(of("linear")).toMatchObject({
    askable: false,
    completeThrough: null,
    summary:
      "cannot be known: no credential: set LINEAR_API_KEY, or give the source one of its own by sources set --token-env; 0 open",
  })
  expect(of("custom").summary).toBe("cannot be known: custom keeps no record that could be asked; 0 open")
  const refused = await hub.json("/api/v1/sources/linear/default/reconcile", { method: "POST" })
  expect(refused).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/set LINEAR_API_KEY/) },
  })
  const unknown = await hub.json("/api/v1/sources/linear/nobody/reconcile", { method: "POST" })
  expect(unknown.status).toBe(404)
})

test("what is in the way of a sweep is told by API and command, and asked for again it comes to its end", async () => {
  const path = "/api/v1/sources/github/default"
  const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
  const cli = (...words: string[]) =>
    promisify(execFile)(process.execPath, [program, "sources", ...words, "--url", hub.url, "--key", adminKey])
  const failed = await cli("reconcile", "github", "--follow").then(
    () => undefined,
    (error: { code: number; stdout: string }) => error,
  )
  expect(failed?.code).toBe(1)
  const refused = await hub.json(`${path}/completeness`)
  expect(refused.body).toMatchObject({ completeThrough: null, askable: true, gaps: [] })
  expect(refused.body.problem).toEqual(expect.stringMatching(/\w/))
  expect(failed?.stdout).toContain(refused.body.problem)
  expect(asked.length).toBeGreaterThan(0)

  status = 200
  const done = await cli("reconcile", "github/default", "--since", "30s", "--follow")
  expect(done.stdout).toMatch(/github\/default {2}complete through .* UTC; 0 repaired, 0 open\n$/)
  const { body } = await hub.json(`${path}/completeness`)
  expect(body).toMatchObject({ problem: null, repaired: 0, open: 0, lost: 0, wanted: false, running: false })
  expect(body.calls).toBe(asked.length)
  expect((await cli("completeness", "github")).stdout.trim()).toBe(`github/default  ${body.summary}`)
  const { body: metrics } = await hub.json("/api/v1/metrics")
  const ours = metrics.sources.find((found: { platform: string }) => found.platform === "github")
  expect(ours).toMatchObject({ source: "default", open: 0, repaired: 0, lost: 0 })
  expect(ours.completeThroughLagSeconds).toBeGreaterThanOrEqual(0)
}, 60_000)

test("gaps are listed newest first, page by page, and by state", async () => {
  await addGaps(await sourceId("slack", "default"), "default", 11)
  const seen: { key: string; startedAt: string; state: string }[] = []
  const path = "/api/v1/sources/slack/default/completeness?limit=4"
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body } = await hub.json(`${path}${cursor === "" ? "" : `&cursor=${cursor}`}`)
    seen.push(...body.gaps)
    cursor = body.nextCursor
  }
  expect(new Set(seen.map(({ key }) => key)).size).toBe(11)
  const times = seen.map(({ startedAt }) => startedAt)
  expect(times).toEqual(times.toSorted().toReversed())
  const { body } = await hub.json(`${path}&state=open`)
  expect(body.gaps.map(({ state }: { state: string }) => state)).toEqual(["open", "open", "open", "open"])
  expect(body).toMatchObject({ open: 4, repaired: 7, summary: expect.stringMatching(/; 4 open$/) })
  expect((await hub.json(`${path}&state=mended`)).status).toBe(400)
})

test("no tenant sees another's ledger, gaps or figures, and the ledger's details need admin", async () => {
  await hub.json("/api/v1/sources", {
    method: "POST",
    body: JSON.stringify({ platform: "github", name: "theirs", tenant: "other", secret: null }),
  })
  await addGaps(await sourceId("github", "theirs"), "other", 2)
  const [reader, admin, stranger] = [
    await keyWith(["events:read"]),
    await keyWith(["admin"]),
    await keyWith(["admin"], "other"),
  ]
  const names = async (key: string): Promise<string[]> => {
    const { body } = await hub.json("/api/v1/completeness", { key })
    return body.sources.map(
      ({ platform, source }: { platform: string; source: string }) => `${platform}/${source}`,
    )
  }
  expect(await names(stranger)).toEqual(["github/theirs"])
  expect(await names(reader)).not.toContain("github/theirs")
  const theirs = "/api/v1/sources/github/theirs"
  expect((await hub.json(`${theirs}/completeness`, { key: stranger })).body.gaps).toHaveLength(2)
  expect((await hub.json(`${theirs}/completeness`, { key: admin })).status).toBe(404)
  expect((await hub.json(`${theirs}/reconcile`, { method: "POST", key: admin })).status).toBe(404)
  expect((await hub.json("/api/v1/sources/github/default/completeness", { key: stranger })).status).toBe(404)
  expect((await hub.json("/api/v1/sources/github/default/completeness", { key: reader })).status).toBe(403)
  expect(
    (await hub.json("/api/v1/sources/github/default/reconcile", { method: "POST", key: reader })).status,
  ).toBe(403)
  const { body } = await hub.json("/api/v1/metrics", { key: stranger })
  expect(body.sources.map(({ source }: { source: string }) => source)).toEqual(["theirs"])
  // the tenant's own source has no credential: that of the environment is not its own
  await until(
    () => hub.json(`${theirs}/reconcile`, { method: "POST", key: stranger }),
    (answer) => answer.status === 409,
  )
})

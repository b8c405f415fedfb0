import { http, HttpResponse } from "msw"
import { setupServer } from "msw/node"
import { afterAll, afterEach, expect, test } from "vitest"
import type { Fields } from "../../src/core/fields.ts"
import type { Finding, Recovery, RecoveryAccess } from "../../src/core/remote.ts"
import { github } from "../../src/platforms/github/index.ts"
import { accessOf } from "./support/sweeping.ts"

const saas = setupServer()
saas.listen({ onUnhandledFrame: "error" })
afterEach(() => saas.resetHandlers())
afterAll(() => saas.close())

const hooks = [{ kind: "repository", owner: "acme", repo: "api", id: "12" }]
let hosts = 0

/** A GitHub of a test's own, by answers to paths. */
function access(
  answers: Readonly<Record<string, (request: Request) => Response>>,
  more: Partial<RecoveryAccess> & { settings?: Fields } = {},
): RecoveryAccess & { asked: string[] } {
  const apiUrl = `https://github-${++hosts}.test/api/v3`
  const asked: string[] = []
  saas.use(
    http.all(`${apiUrl}/*`, ({ request }) => {
      const { pathname, search } = new URL(request.url)
      const path = pathname.slice("/api/v3".length)
      asked.push(`${request.method} ${path}${search}`)
      return (answers[path] ?? (() => HttpResponse.json({ message: "Not Found" }, { status: 404 })))(request)
    }),
  )
  const settings = { hooks, records: false }
  return { ...accessOf(apiUrl, "ghp_secret", { settings, clock: () => new Date(), ...more }), asked }
}

async function recovery(): Promise<Recovery> {
  const remote = await github.calls?.load()
  return remote!.recovery!
}

async function sweep(given: RecoveryAccess): Promise<Finding[]> {
  const found: Finding[] = []
  const until = new Date()
  const window = { since: new Date(until.getTime() - 3_600_000), until, cursor: null }
  for await (const { findings } of (await recovery()).sweep(given, window)) found.push(...findings)
  return found
}

const hook = () => HttpResponse.json({ id: 12, events: ["push"] })
const json = (text: string, headers: Record<string, string> = {}) =>
  new HttpResponse(text, { headers: { "content-type": "application/json", ...headers } })

function delivery(id: string): string {
  const at = new Date(Date.now() - 60_000).toISOString()
  return `{"id":${id},"guid":"0B989BA4-242f-11e5-81e1-c7b6966d2516","delivered_at":"${at}","status":"OK","status_code":200}`
}

test("an id of 64 bits is kept to the digit, and a large number of a body is copied as it was", async () => {
  const given = access({
    "/repos/acme/api/hooks/12": hook,
    "/repos/acme/api/hooks/12/deliveries": () => json(`[${delivery("165379830481960961")}]`),
    "/repos/acme/api/hooks/12/deliveries/165379830481960961": () =>
      json(
        `{"id":165379830481960961,"request":{"headers":{"X-GitHub-Event":"push","X-Hub-Signature-256":"sha256=00","Accept":"*/*"},` +
          `"payload":{"ref":"refs/heads/main","big":12345678901234567890,"text":"12345678901234567890"}}}`,
      ),
  })
  const [found] = await sweep(given)
  expect(found).toMatchObject({
    kind: "delivery",
    key: "0b989ba4-242f-11e5-81e1-c7b6966d2516",
    outcome: "200",
  })
  const handle = found?.kind === "delivery" ? found.handle : ""
  expect(handle).toContain("165379830481960961")
  const copied = await (await recovery()).copy!(given, handle)
  expect(copied?.headers).toEqual({ "x-github-event": "push" })
  expect(copied?.body.toString()).toBe(
    `{"ref":"refs/heads/main","big":12345678901234567890,"text":"12345678901234567890"}`,
  )
})

test("the next page is asked of our own host, whatever the Link header says", async () => {
  let page = 0
  const given = access({
    "/repos/acme/api/hooks/12": hook,
    "/repos/acme/api/hooks/12/deliveries": () => {
      const link = `<https://elsewhere.test/repositories/1/hooks/12/deliveries?per_page=100&cursor=v1_2>; rel="next"`
      return ++page === 1 ? json(`[${delivery("3")}]`, { link }) : json(`[${delivery("2")}]`)
    },
  })
  expect(await sweep(given)).toHaveLength(2)
  expect(given.asked.at(-1)).toBe("GET /repos/acme/api/hooks/12/deliveries?per_page=100&cursor=v1_2")
})

const inAnHour = (): string => String(Math.floor(Date.now() / 1_000) + 3_600)

test.each([
  [
    "5 % of the hour are left to others",
    200,
    { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "250", "x-ratelimit-reset": inAnHour() },
    3_500,
  ],
  [
    "the hour is spent",
    403,
    { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": inAnHour() },
    3_500,
  ],
  ["a secondary limit", 429, { "retry-after": "77" }, 77],
  ["a secondary limit without a time", 429, {}, 60],
])("%s: nothing more is asked before its time, and nobody waits", async (_what, status, headers, least) => {
  const given = access({
    "/repos/acme/api/hooks/12": () => HttpResponse.json({ events: ["push"] }, { status, headers }),
    "/repos/acme/api/hooks/12/deliveries": () => json("[]"),
  })
  for (let round = 0; round < 3; round++) {
    const error: unknown = await sweep(given).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "too_many_requests" })
    expect(Number((error as { retryAfter?: number }).retryAfter)).toBeGreaterThanOrEqual(least)
  }
  expect(given.asked).toHaveLength(1)
})

test("a refusal names the permission that GitHub asks for", async () => {
  const headers = { "x-accepted-github-permissions": "repository_hooks=read" }
  const given = access({
    "/repos/acme/api/hooks/12": () => HttpResponse.json({ message: "no" }, { status: 403, headers }),
  })
  await expect(sweep(given)).rejects.toMatchObject({
    code: "forbidden",
    message: "the token may not use hook 12 of acme/api: it needs the permission Webhooks: read",
  })
})

test("a gateway that fails once is asked again; one that keeps failing is unavailable", async () => {
  let failures = 1
  const given = access({
    "/repos/acme/api/hooks/12": () => (failures-- > 0 ? new HttpResponse("<html>", { status: 502 }) : hook()),
    "/repos/acme/api/hooks/12/deliveries": () => json("[]"),
  })
  expect(await sweep(given)).toEqual([])
  failures = 2
  await expect(sweep(given)).rejects.toMatchObject({ code: "unavailable", retryable: true })
})

test("a hook of which nothing is known is not guessed at, and an app's needs the app's own word", async () => {
  const none = access({}, { settings: {} })
  await expect(sweep(none)).rejects.toMatchObject({ code: "configuration" })
  const headers = {
    "x-github-hook-id": "9",
    "x-github-hook-installation-target-type": "integration",
    "x-github-hook-installation-target-id": "77",
  }
  const sightings = () => Promise.resolve([{ headers, lastSeenAt: new Date() }])
  const app = access({}, { settings: {}, sightings })
  await expect(sweep(app)).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringContaining("JWT") as string,
  })
  const forged = { ...headers, "x-github-hook-installation-target-id": "../user" }
  const stranger = access(
    {},
    { settings: {}, sightings: () => Promise.resolve([{ headers: forged, lastSeenAt: new Date() }]) },
  )
  await expect(sweep(stranger)).rejects.toMatchObject({ code: "configuration" })
  expect(stranger.asked).toEqual([])
})

const sighting = (hookId: string, target: string, minutes: number) => ({
  headers: {
    "x-github-hook-id": hookId,
    "x-github-hook-installation-target-type": "repository",
    "x-github-hook-installation-target-id": target,
  },
  lastSeenAt: new Date(Date.now() - minutes * 60_000),
})

test("a hook that was set up by hand is checked beside those of connect, and one that is hidden is told of", async () => {
  const unchecked: string[] = []
  const given = access(
    {
      "/repos/acme/api/hooks/12": hook,
      "/repos/acme/api/hooks/12/deliveries": () => json("[]"),
      "/repositories/7": () => json(`{"name":"web","owner":{"login":"acme"}}`),
      "/repos/acme/web/hooks/13": () => json(`{"id":13,"events":["push"]}`),
      "/repos/acme/web/hooks/13/deliveries": () => json(`[${delivery("1")}]`),
    },
    {
      sightings: () =>
        Promise.resolve([
          sighting("12", "6", 1),
          sighting("13", "7", 5),
          sighting("14", "7", 6), // of a repository that is seen
          sighting("15", "8", 7), // of one that is not
          sighting("16", "8", 120), // gone since before the window
        ]),
      unchecked: (why) => void unchecked.push(why),
    },
  )
  expect(await sweep(given)).toMatchObject([{ kind: "delivery" }])
  expect(given.asked).not.toContain("GET /repositories/6")
  expect(unchecked.map((why) => /^hook \d+/.exec(why)?.[0])).toEqual(["hook 15", "hook 14"])
})

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()

const issue = (number: number, updatedAt: string): object => ({
  id: 100 + number,
  number,
  state: "open",
  created_at: minutesAgo(40),
  updated_at: updatedAt,
  closed_at: null,
  user: { login: "author", id: 1 },
})

test("what jumps from a page still to be read to one that was read is found all the same", async () => {
  const repository = { id: 5, full_name: "acme/api", owner: { login: "acme", type: "Organization" } }
  let jumped = false
  const given = access(
    {
      "/repos/acme/api/hooks/12": () => HttpResponse.json({ id: 12, events: ["issues"] }),
      "/repos/acme/api/hooks/12/deliveries": () => json("[]"),
      "/repos/acme/api": () => HttpResponse.json(repository),
      "/repos/acme/api/issues/events": () => json("[]"),
      "/repos/acme/api/issues": (request) => {
        const url = new URL(request.url)
        if (url.searchParams.get("page") === "2") {
          jumped = true // the second one was commented on just before this was read
          return HttpResponse.json([issue(3, minutesAgo(30))])
        }
        if (jumped) return HttpResponse.json([issue(2, new Date().toISOString()), issue(1, minutesAgo(10))])
        url.searchParams.set("page", "2")
        return HttpResponse.json([issue(1, minutesAgo(10))], {
          headers: { link: `<${url.href}>; rel="next"` },
        })
      },
    },
    { settings: { hooks } },
  )
  const found = await sweep(given)
  expect(new Set(found.map((finding) => finding.kind === "record" && finding.key))).toEqual(
    new Set(["backfill-issues-101-opened", "backfill-issues-102-opened", "backfill-issues-103-opened"]),
  )
})

import { setupServer } from "msw/node"
import { afterAll, expect, test } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import type { Fields } from "../../src/core/fields.ts"
import { silentLog } from "../../src/core/log.ts"
import type { Connector } from "../../src/core/remote.ts"
import { github } from "../../src/platforms/github/index.ts"
import { createGithubWorld } from "../support/worlds/github.ts"
import type { GithubWorld, GithubWorldOptions } from "../support/worlds/github-state.ts"

const saas = setupServer()
saas.listen({ onUnhandledFrame: "error" })
afterAll(() => saas.close())

const secret = "a signing secret of the source"
const webhookUrl = "https://signals.example.test/webhooks/github"

function newWorld(options: Partial<GithubWorldOptions> = {}): GithubWorld {
  const world = createGithubWorld({ secret, clock: systemClock, ...options })
  saas.use(...world.handlers)
  return world
}

async function plan(
  world: GithubWorld,
  options: Record<string, string>,
  more: { settings?: Fields; secret?: string | null; credential?: string } = {},
): ReturnType<Connector["plan"]> {
  const remote = await github.calls?.load()
  const { settings = {}, credential = world.token } = more
  const signal = new AbortController().signal
  const access = { apiUrl: world.apiUrl, credential, settings, clock: systemClock, signal, log: silentLog }
  const request = { access, source: "default", webhookUrl, options, secret: more.secret ?? secret }
  return remote!.connector!.plan({ ...request, secret: more.secret === null ? null : request.secret })
}

const hooksOf = (world: GithubWorld, name: string) => world.repositories.get(name)!.hooks

test("a plan changes nothing; carried out it makes the webhook; the next plan finds everything done", async () => {
  const world = newWorld()
  const first = await plan(world, { repo: "acme/api, acme/web" })
  expect(first.steps.map(({ action }) => action)).toEqual(["create", "create"])
  expect(first.steps[0]?.what).toMatch(
    /^webhook of acme\/api to https:\/\/signals\.example\.test\/.*, \d+ events$/,
  )
  expect(world.calls.every((call) => call.startsWith("GET"))).toBe(true)

  const { settings } = await first.apply()
  const [hook] = hooksOf(world, "acme/api")
  expect(hook).toMatchObject({
    active: true,
    config: { url: webhookUrl, content_type: "json", insecure_ssl: "0", secret },
  })
  expect(hook?.events).toContain("pull_request")
  expect(JSON.stringify(settings)).not.toContain(secret)
  expect(settings["hooks"]).toMatchObject([
    { kind: "repository", owner: "acme", repo: "api", id: String(hook?.id) },
    { kind: "repository", owner: "acme", repo: "web" },
  ])

  const second = await plan(world, { repo: "acme/api,acme/web" }, { settings })
  expect(second.steps.map(({ action }) => action)).toEqual(["keep", "keep"])
  const calls = world.calls.length
  expect((await second.apply()).settings).toEqual(settings)
  expect(world.calls).toHaveLength(calls)
})

test("a webhook to this address is taken over, whoever made it, and loses none of its events", async () => {
  const world = newWorld()
  for (let count = 0; count < 3; count++) world.addHook("acme/api") // others', on the same page
  const hook = world.addHook("acme/api", ["push", "gollum"])
  hook.config.url = `${webhookUrl}/`
  hook.active = false
  const taken = await plan(world, { repo: "acme/api" })
  expect(taken.steps).toMatchObject([{ action: "update" }])
  const { settings } = await taken.apply()
  expect(hooksOf(world, "acme/api")).toHaveLength(4)
  expect(hook).toMatchObject({ active: true, config: { url: webhookUrl, secret } })
  expect(hook.events).toEqual(expect.arrayContaining(["gollum", "pull_request"]))

  // Another secret, or a hand that changed it: it is set anew.
  expect((await plan(world, { repo: "acme/api" }, { settings, secret: "the next one" })).steps).toMatchObject(
    [{ action: "update" }],
  )
  hook.active = false
  expect((await plan(world, { repo: "acme/api" }, { settings })).steps).toMatchObject([{ action: "update" }])
})

test("an organization's webhook is found beyond the first page, and --events has its way", async () => {
  const world = newWorld()
  const made = await plan(world, { org: "acme", events: "push, pull_request" })
  const { settings } = await made.apply()
  expect(world.orgHooks).toMatchObject([{ events: ["pull_request", "push"] }])
  const hook = world.orgHooks[0]!
  for (let id = 1; id <= 120; id++) {
    world.orgHooks.unshift({
      ...hook,
      id,
      config: { ...hook.config, url: `https://other.example.test/${id}` },
    })
  }
  const next = await plan(world, { org: "acme", events: "all" }, { settings })
  expect(next.steps).toEqual([{ action: "update", what: `webhook of acme to ${webhookUrl}, all events` }])
})

test.each([
  ["without a place", { repo: "" }, "bad_request", "say what to listen to: --repo owner/name, or --org name"],
  ["a name that is none", { repo: "acme" }, "bad_request", `--repo: "acme" is not of the form owner/name`],
  ["an event that is none", { repo: "acme/api", events: "Push!" }, "bad_request", "is not the name of one"],
  [
    "a repository that is not there",
    { repo: "acme/none" },
    "not_found",
    "GitHub knows nothing of the webhooks of acme/none",
  ],
])("%s is answered in a sentence", async (_what, options, code, message) => {
  const wrong = plan(newWorld(), options)
  await expect(wrong).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
})

test("what a token lacks is named, and the token never is", async () => {
  const world = newWorld({ scopes: ["repo"] })
  const refused = plan(world, { repo: "acme/api" })
  await expect(refused).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("it needs the scope admin:repo_hook") as string,
  })
  const wrong = plan(world, { repo: "acme/api" }, { credential: "ghp_no_longer_good" })
  await expect(wrong).rejects.toMatchObject({ code: "unauthenticated" })
  const unfit = plan(world, { repo: "acme/api" }, { credential: "two\nlines" })
  await expect(unfit).rejects.toMatchObject({ code: "configuration" })
  const noSecret = plan(world, { repo: "acme/api" }, { secret: null })
  await expect(noSecret).rejects.toMatchObject({ code: "configuration" })
  for (const attempt of [refused, wrong, unfit]) {
    const error: unknown = await attempt.catch((thrown: unknown) => thrown)
    expect(String(error)).not.toMatch(/ghp_|two\nlines/)
  }
})

test("the most webhooks that GitHub allows is told as GitHub says it", async () => {
  const world = newWorld()
  for (let count = 0; count < 20; count++) {
    world.addHook("acme/web").config.url = `https://other.example.test/${count}`
  }
  const full = await plan(world, { repo: "acme/web" })
  await expect(full.apply()).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("The hook limit is 20") as string,
  })
})
